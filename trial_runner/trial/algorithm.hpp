// The compression algorithms that a search space can name, and what a trial's parameters make of one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/compression/config_list.hpp>
#include <lathe/compression/pruner.hpp>
#include <lathe/compression/schedule.hpp>

#include "result.hpp"

namespace lathe::trial {

enum class Algorithm { Level, L1, Agp };

/// Finds an algorithm by any of its names: ours, NNI's short ones, NNI's class names; case is ignored. An error lists
/// the known ones, and says of a quantizer that it is not available yet.
[[nodiscard]] Result<Algorithm> find_algorithm(const std::string& name);

/// The short name: level, l1, agp.
[[nodiscard]] std::string_view name_of(Algorithm algorithm);

/// What is to be done to the model, with nothing left to look up.
struct Plan {
  Algorithm algorithm = Algorithm::Level;
  compression::PruningMetric metric = compression::PruningMetric::Level;
  std::optional<compression::AgpSchedule> schedule;  ///< AGP's defaults
  std::vector<compression::SelectedLayer> layers;
};

/// Turns the parameters of a trial into a plan for a model with these layers.
///
/// The algorithm is the one parameter whose value is an object with `_name` (under any key), or a string-valued
/// `algorithm` or `_name` at the top. Its other keys are, the later in this list the stronger:
///   sparsity                    all layers of the algorithm's default types
///   config_list::T::N::key      NNI's grammar; T and N are op_types and op_names joined by ':', either may be empty
///   LAYER.sparsity, LAYER_sparsity
/// and `parameter::name` for the algorithm's own arguments: pruning_algorithm (level or l1), initial_sparsity,
/// start_epoch, end_epoch, frequency, num_iterations and epochs_per_iteration, all of agp. `fixed_entries`
/// (compression.configList) come last and have the last word. AGP ends with fine-tuning unless told otherwise.
/// Errors name the key at fault.
[[nodiscard]] Result<Plan> make_plan(const nlohmann::ordered_json& parameters,
                                     const nlohmann::ordered_json& fixed_entries,
                                     const std::vector<compression::Layer>& layers, std::int64_t finetuning_epochs);

}  // namespace lathe::trial
