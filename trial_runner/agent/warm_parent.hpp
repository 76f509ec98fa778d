// A process that has loaded what trials need, and from which they are forked: `lathe-trial serve`.
//
// The words between the two are in lathe/proto/warm_start.hpp. The parent is a child of the agent and dies with it; the
// trials forked from it have keepers like all others and do not.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include <tl/expected.hpp>

#include <lathe/proto/result.hpp>

#include "command.hpp"
#include "descriptor.hpp"
#include "kept_process.hpp"

namespace lathe::agent {

/// Why a trial could not be forked.
struct ForkFailure {
  std::string reason;
  bool is_refusal = false;  ///< the parent itself says so, e.g. as its files have changed; else it is broken
};

class WarmParent {
 public:
  /// Runs `shell -c command`. It is not ready yet then.
  [[nodiscard]] static proto::Result<WarmParent> start(const std::string& shell, const std::string& command);

  WarmParent(WarmParent&& other) noexcept;
  WarmParent& operator=(WarmParent&& other) = delete;
  WarmParent(const WarmParent&) = delete;
  WarmParent& operator=(const WarmParent&) = delete;
  /// Kills it, unless it is known to have ended. The trials that came from it run on.
  ~WarmParent();

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Whether it takes requests by now. Does not wait.
  [[nodiscard]] bool is_ready();

  /// Forks a keeper and a trial that waits at its gate. `command` gives its environment, folder and streams; what to
  /// run is known. `keeper_program` is the executable of the agent. Waits for the answer, at most `patience`. After a
  /// failure the parent is of no use any more; a child that it may yet make finds its gate closed and exits.
  [[nodiscard]] tl::expected<KeptProcess, ForkFailure> fork_trial(const Command& command, const Descriptor& exit_record,
                                                                  const Descriptor& keeper_program,
                                                                  std::chrono::milliseconds patience);

  /// The process has ended and is about to be reaped: its id is no longer to be signalled.
  void forget_process() { is_running_ = false; }

 private:
  WarmParent(pid_t pid, Descriptor control) : pid_(pid), control_(std::move(control)), is_running_(true) {}

  pid_t pid_;
  Descriptor control_;
  bool is_running_;
  bool is_ready_ = false;
};

}  // namespace lathe::agent
