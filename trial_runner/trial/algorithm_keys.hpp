// The keys inside the parameter that names an algorithm, read into config_list entries and arguments.
#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/compression/config_list.hpp>
#include <lathe/compression/pruner.hpp>
#include <lathe/compression/schedule.hpp>

#include "algorithm.hpp"
#include "result.hpp"

namespace lathe::trial {

struct AlgorithmKeys {
  std::vector<compression::ConfigEntry> entries;  ///< weakest first
  compression::PruningMetric pruning_algorithm = compression::PruningMetric::Level;
  compression::AgpSchedule schedule;
};

/// See make_plan for the grammar. `keys` is without `_name`.
[[nodiscard]] Result<AlgorithmKeys> read_algorithm_keys(const nlohmann::ordered_json& keys, Algorithm algorithm,
                                                        const std::vector<compression::Layer>& layers,
                                                        std::int64_t finetuning_epochs);

}  // namespace lathe::trial
