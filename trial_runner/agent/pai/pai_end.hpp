// How a job's end in PAI is told as the end of a trial.
#pragma once

#include <optional>

#include "launcher.hpp"
#include "pai/pai_answers.hpp"

namespace lathe::agent {

/// From the exit status of a shell: 128 + n stands for signal n.
[[nodiscard]] JobEnd pai_end_of_status(int exit_status);

/// The job has ended without the trial's script having left an exit status. `asked_signal`: SIGTERM or SIGKILL when
/// this agent has stopped it.
[[nodiscard]] JobEnd pai_end_of(const PaiDetail& detail, std::optional<int> asked_signal);

[[nodiscard]] JobEnd pai_lost_end(std::string why);

}  // namespace lathe::agent
