// A process that has loaded what trials need, and from which they are forked: `lathe-trial serve`.
//
// The words between the two are in lathe/proto/warm_start.hpp. The parent is a child of the agent and dies with it; the
// trials forked from it are children of the agent like all others and do not.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include <tl/expected.hpp>

#include <lathe/proto/result.hpp>

#include "descriptor.hpp"
#include "process.hpp"

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

  [[nodiscard]] pid_t pid() const { return process_.pid(); }

  /// Whether it takes requests by now. Does not wait.
  [[nodiscard]] bool is_ready();

  /// Forks a trial that waits at its gate. `command` gives its environment, folder and streams; what to run is known.
  /// Waits for the parent's answer, at most `patience`. After a failure the parent is of no use any more; a child that
  /// it may yet make finds its gate closed and exits.
  [[nodiscard]] tl::expected<GatedProcess, ForkFailure> fork_trial(const Command& command,
                                                                   std::chrono::milliseconds patience);

  /// The process has ended and is about to be reaped: its id is no longer to be signalled.
  void forget_process() { is_running_ = false; }

 private:
  WarmParent(GatedProcess process, Descriptor control)
      : process_(std::move(process)), control_(std::move(control)), is_running_(true) {}

  GatedProcess process_;
  Descriptor control_;
  bool is_running_;
  bool is_ready_ = false;
};

}  // namespace lathe::agent
