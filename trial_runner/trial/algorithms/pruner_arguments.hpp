// Arguments of pruners and of the schedules over them.
#pragma once

#include <optional>

#include <lathe/compression/pruner.hpp>

#include "algorithms/algorithm.hpp"
#include "algorithms/argument_table.hpp"

namespace lathe::trial {

/// The metric of a one-shot pruner; nothing for any other algorithm.
[[nodiscard]] std::optional<compression::PruningMetric> metric_of(Algorithm algorithm);

/// Declares what the pruner of `options.metric` can be told, into `options`.
void declare_pruner_arguments(ArgumentTable& table, compression::PrunerOptions& options);

}  // namespace lathe::trial
