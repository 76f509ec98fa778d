// Arguments of the schedules: agp, linear, lottery.
#pragma once

#include <cstdint>
#include <optional>

#include <lathe/compression/pruner.hpp>
#include <lathe/compression/schedule.hpp>

#include "algorithms/algorithm.hpp"
#include "algorithms/algorithm_keys.hpp"
#include "algorithms/argument_table.hpp"

namespace lathe::trial {

/// Arguments as they are written; some only make sense together.
struct ScheduleArguments {
  compression::PruningMetric pruning_algorithm = compression::PruningMetric::Level;
  double initial_sparsity = 0;
  std::int64_t start_epoch = 0;
  std::optional<std::int64_t> end_epoch;
  std::optional<std::int64_t> frequency;
  std::optional<std::int64_t> iterations;
  std::optional<std::int64_t> total_iteration;  ///< NNI v2: rounds are counted from 0 to this
  std::optional<std::int64_t> epochs_per_iteration;
  bool reset_weights = true;
};

/// Which pruner a schedule drives has to be known before its arguments can be; so `pruning_algorithm` is read first.
[[nodiscard]] Result<compression::PruningMetric> read_pruning_algorithm(const AlgorithmKeys& keys,
                                                                        std::string_view argument,
                                                                        compression::PruningMetric by_default);

void declare_schedule_arguments(ArgumentTable& table, Algorithm algorithm, ScheduleArguments& arguments);

/// Errors: arguments that say the same thing twice, more epochs than anybody trains.
[[nodiscard]] Result<compression::Schedule> make_schedule(Algorithm algorithm, const ScheduleArguments& arguments,
                                                          std::int64_t finetuning_epochs);

}  // namespace lathe::trial
