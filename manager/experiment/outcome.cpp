#include "experiment/outcome.hpp"

#include <array>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

namespace lathe::manager {

namespace {

using proto::TrialStatus;

struct KillRow {
  std::string_view killed_by;
  TrialStatus status;
  std::string_view reason;
};

constexpr std::array kKills{
    KillRow{"user", TrialStatus::UserCanceled, "cancelled by a user"},
    KillRow{"stop", TrialStatus::UserCanceled, "its experiment was stopped"},
    KillRow{"duration", TrialStatus::EarlyStopped, "longer than maxTrialDuration"},
    KillRow{"requeue", TrialStatus::Waiting, "put back when the daemon was stopped"},
};

const KillRow* find_kill(std::string_view killed_by) {
  for (const KillRow& row : kKills) {
    if (row.killed_by == killed_by) return &row;
  }
  return nullptr;
}

Outcome after_loss(const proto::TrialExited& exited, const Attempt& attempt) {
  const std::string why = exited.error.empty() ? "its end was not seen" : exited.error;
  if (attempt.losses >= attempt.max_losses) {
    const std::string times = attempt.losses == 0 ? "lost" : fmt::format("lost {} times, last", attempt.losses + 1);
    return {TrialStatus::Failed, fmt::format("{} because {} (maxRetries.lost {})", times, why, attempt.max_losses),
            true};
  }
  return {TrialStatus::Waiting, "lost: " + why, true};
}

Outcome after_kill(const KillRow& kill, const Attempt& attempt) {
  if (kill.status != TrialStatus::EarlyStopped || !attempt.max_duration)
    return {kill.status, std::string(kill.reason), false};
  return {kill.status, fmt::format("{} ({}s)", kill.reason, attempt.max_duration->count()), false};
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? std::string("unknown") : std::string("SIG") + name;
}

}  // namespace

std::string describe_exit(const proto::TrialExited& exited, bool started) {
  if (!exited.error.empty()) return started ? exited.error : "could not be started: " + exited.error;
  if (exited.signal) return fmt::format("killed by signal {} ({})", *exited.signal, signal_name(*exited.signal));
  if (exited.exit_code == 0) return {};
  if (exited.exit_code) return fmt::format("exit code {}", *exited.exit_code);
  return "ended without an exit code";
}

Outcome outcome_of(const proto::TrialExited& exited, const Attempt& attempt) {
  // Whoever wanted the trial ended does not want it run again, whatever became of the process.
  const KillRow* wanted = find_kill(attempt.kill_reason);
  if (exited.lost) return wanted != nullptr ? after_kill(*wanted, attempt) : after_loss(exited, attempt);
  const bool succeeded = exited.exit_code == 0 && exited.error.empty();
  if (exited.killed_by == "requeue" && succeeded && attempt.reported_final) return {TrialStatus::Succeeded, "", false};
  if (!exited.killed_by.empty()) {
    const KillRow* kill = wanted != nullptr ? wanted : find_kill(exited.killed_by);
    if (kill != nullptr) return after_kill(*kill, attempt);
    return {TrialStatus::SysCanceled, "ended by the agent: " + exited.killed_by, false};
  }
  return {succeeded ? TrialStatus::Succeeded : TrialStatus::Failed, describe_exit(exited, attempt.started), false};
}

}  // namespace lathe::manager
