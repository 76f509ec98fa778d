// What the end of a process means for its trial. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <lathe/proto/frames.hpp>
#include <lathe/proto/status.hpp>

namespace lathe::manager {

/// What is known of the attempt that ended.
struct Attempt {
  std::string kill_reason;  ///< TrialRow::kill_reason
  bool reported_final = false;
  std::int64_t losses = 0;                           ///< earlier attempts of the trial whose end nobody saw
  std::int64_t max_losses = 1;                       ///< so many may be; one more, and the trial is given up
  std::optional<std::chrono::seconds> max_duration;  ///< maxTrialDuration
  bool started = false;                              ///< its process, or its job, has run
};

struct Outcome {
  proto::TrialStatus status = proto::TrialStatus::Unknown;  ///< Waiting: run it again as the next attempt
  std::string reason;                                       ///< empty after exit code 0
  bool lost = false;                                        ///< counts as a loss
};

[[nodiscard]] Outcome outcome_of(const proto::TrialExited& exited, const Attempt& attempt);

/// "exit code 3", "killed by signal 9 (SIGKILL)", "could not be started: …", or what the agent says of a command that
/// was `started` ("Slurm's time limit (job 7 on node1)"); empty for exit code 0.
[[nodiscard]] std::string describe_exit(const proto::TrialExited& exited, bool started);

}  // namespace lathe::manager
