// The `tuner:` block.
#pragma once

#include <optional>

#include <lathe/proto/experiment_config.hpp>

#include "problems.hpp"
#include "value.hpp"

namespace lathe::proto {

/// What is wrong goes to `problems`. `objective` is that of a compression experiment, whose metric says which direction
/// is better: the tuner follows it, and a classArgs.optimize_mode that contradicts it is an error.
[[nodiscard]] TunerConfig read_tuner(const Value& value, const std::optional<ObjectiveMetric>& objective,
                                     Problems& problems);

/// `{name, classArgs}` with optimize_mode and seed written out.
[[nodiscard]] nlohmann::ordered_json tuner_json(const TunerConfig& config);

}  // namespace lathe::proto
