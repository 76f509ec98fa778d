#include "slurm/slurm_end.hpp"

#include <sys/wait.h>

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace lathe::agent {
namespace {

constexpr int signal_base = 128;  ///< a shell adds it to a signal's number
constexpr int last_signal = 64;

std::string where(const JobRow& row) {
  return row.nodes.empty() ? fmt::format("job {}", row.name) : fmt::format("job {} on {}", row.name, row.nodes);
}

JobEnd failed_end(std::string why, std::optional<int> exit_status) {
  JobEnd end = exit_status ? end_of_status(*exit_status) : JobEnd{};
  end.error = std::move(why);
  return end;
}

/// "CANCELLED by 1000" is how sacct has it; squeue does not know who.
std::string cancelled(const JobRow& row) {
  const auto by = row.state.find(" by ");
  if (by == std::string::npos) return fmt::format("cancelled in Slurm ({})", where(row));
  return fmt::format("cancelled in Slurm by user id {} ({})", row.state.substr(by + 4), where(row));
}

JobEnd cancelled_end(const JobRow& row, std::optional<int> exit_status, std::optional<int> asked_signal) {
  const bool ended_by_itself = exit_status && *exit_status <= signal_base;
  if (ended_by_itself) return end_of_status(*exit_status);
  if (!asked_signal) return failed_end(cancelled(row), exit_status);
  if (exit_status) return end_of_status(*exit_status);
  JobEnd end;
  end.signal = asked_signal;
  return end;
}

/// The batch script has left nothing: it never ran, or its last words are not to be seen here.
JobEnd end_by_slurm(const JobRow& row) {
  if (row.reason == "JobLaunchFailure") {
    return failed_end(fmt::format("Slurm could not launch {}: do its nodes see the trial's folder?", where(row)), {});
  }
  if (WIFSIGNALED(row.status)) {
    JobEnd end;
    end.signal = WTERMSIG(row.status);
    return end;
  }
  return end_of_status(WEXITSTATUS(row.status));
}

}  // namespace

JobEnd end_of(const JobRow& row, std::optional<int> exit_status, std::optional<int> asked_signal) {
  const std::string_view state = row.base_state();
  if (state == "TIMEOUT") return failed_end(fmt::format("Slurm's time limit ({})", where(row)), exit_status);
  if (state == "DEADLINE") return failed_end(fmt::format("Slurm's deadline ({})", where(row)), exit_status);
  if (state == "OUT_OF_MEMORY") return failed_end(fmt::format("out of memory ({})", where(row)), exit_status);
  if (state == "CANCELLED") return cancelled_end(row, exit_status, asked_signal);
  if (state == "NODE_FAIL" || state == "BOOT_FAIL" || state == "PREEMPTED" || state == "REVOKED") {
    const bool ended_before = exit_status && *exit_status <= signal_base;
    return ended_before ? end_of_status(*exit_status) : lost_end(fmt::format("Slurm: {} ({})", state, where(row)));
  }
  return exit_status ? end_of_status(*exit_status) : end_by_slurm(row);
}

JobEnd end_of_status(int exit_status) {
  JobEnd end;
  if (exit_status > signal_base && exit_status <= signal_base + last_signal) {
    end.signal = exit_status - signal_base;
  } else {
    end.exit_code = exit_status;
  }
  return end;
}

JobEnd lost_end(std::string why) {
  JobEnd end;
  end.error = std::move(why);
  end.lost = true;
  return end;
}

}  // namespace lathe::agent
