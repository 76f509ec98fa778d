// lathe-trial, which does what needs a model at hand: lathectl itself never loads LibTorch.
#pragma once

#include <string>
#include <vector>

#include "outcome.hpp"

namespace lathe::cli {

/// Runs the lathe-trial that lies beside this program, on our own streams, and waits for it. What it refuses it has
/// said on stderr itself: that is ExitCode::Failed. Ctrl-C is for it to handle; we wait until it has cleaned up.
[[nodiscard]] Outcome<ExitCode> run_trial_program(const std::vector<std::string>& arguments);

}  // namespace lathe::cli
