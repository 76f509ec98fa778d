// Waiting for an experiment to end.
#pragma once

#include <string>

#include "context.hpp"
#include "outcome.hpp"

namespace lathe::cli {

/// Follows the experiment by its events, showing progress on `context.err`, and prints its best trials (or its JSON) at
/// the end. Ok: DONE with a succeeded trial; NotDone: any other end; Interrupted: Ctrl-C, the experiment goes on.
[[nodiscard]] Outcome<ExitCode> wait_for_experiment(Context& context, const std::string& id);

}  // namespace lathe::cli
