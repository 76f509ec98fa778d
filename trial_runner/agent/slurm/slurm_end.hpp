// How a job's end in Slurm is told as the end of a trial.
#pragma once

#include <optional>

#include "launcher.hpp"
#include "slurm/job_rows.hpp"

namespace lathe::agent {

/// `row` has ended. `exit_status`: what the batch script has left; `asked_signal`: SIGTERM or SIGKILL when this agent
/// has ended the job.
[[nodiscard]] JobEnd end_of(const JobRow& row, std::optional<int> exit_status, std::optional<int> asked_signal);

/// From the exit status of a shell: 128 + n stands for signal n.
[[nodiscard]] JobEnd end_of_status(int exit_status);

[[nodiscard]] JobEnd lost_end(std::string why);

}  // namespace lathe::agent
