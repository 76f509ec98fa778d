// What a trial's parameters make of an algorithm: what is to be done to the model, with nothing left to look up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/compression/config_list.hpp>
#include <lathe/compression/pruner.hpp>
#include <lathe/compression/quantization.hpp>
#include <lathe/compression/schedule.hpp>
#include <lathe/proto/compression_config.hpp>

#include "algorithms/algorithm.hpp"
#include "algorithms/iterative_options.hpp"
#include "result.hpp"

namespace lathe::trial {

struct PruningPlan {
  compression::PrunerOptions options;
  std::optional<compression::Schedule> schedule;
  std::vector<compression::SelectedLayer> layers;
};

struct IterativePlan {
  IterativeOptions options;
  std::vector<compression::SelectedLayer> layers;
};

struct QuantizationPlan {
  compression::QuantizerKind kind = compression::QuantizerKind::Qat;
  compression::QuantizerOptions options;
  std::vector<compression::QuantizedLayer> layers;
};

struct Plan {
  Algorithm algorithm = Algorithm::Level;
  std::variant<PruningPlan, IterativePlan, QuantizationPlan> how;
  std::vector<std::string> warnings;  ///< of the config_list: names that nothing answers to
};

/// What a plan is made for.
struct PlanInput {
  const std::vector<compression::Layer>& layers;   ///< of layers_of
  const std::vector<compression::Layer>& modules;  ///< of modules_of: those without parameters too
  const nlohmann::ordered_json& fixed_entries;     ///< compression.configList: they have the last word
  std::int64_t finetuning_epochs = 0;              ///< where AGP ends unless it is told otherwise
  std::optional<std::int64_t> sparsifying_epochs;  ///< of Slim, unless it is told otherwise; none: NNI's default
};

[[nodiscard]] PlanInput plan_input(const proto::CompressionConfig& config,
                                   const std::vector<compression::Layer>& layers,
                                   const std::vector<compression::Layer>& modules);

/// Turns the parameters of a trial into a plan. See sort_algorithm_keys for the grammar; layers' tensors are the
/// model's own. Errors name the key at fault.
[[nodiscard]] Result<Plan> make_plan(const nlohmann::ordered_json& parameters, const PlanInput& input);

/// The layers of a plan with what each is to become, for the log.
[[nodiscard]] std::vector<std::string> describe_layers(const Plan& plan);

}  // namespace lathe::trial
