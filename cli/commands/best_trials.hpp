// The best trials of an experiment, fetched and printed: the end of `wait`, part of `experiment show`.
#pragma once

#include "context.hpp"
#include "json.hpp"
#include "outcome.hpp"

namespace lathe::cli {

/// Prints the table of the ten best succeeded trials to `context.out`, or nothing when none has a metric.
[[nodiscard]] Outcome<ExitCode> print_best_trials(Context& context, const Json& experiment);

}  // namespace lathe::cli
