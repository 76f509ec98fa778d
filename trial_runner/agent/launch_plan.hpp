// The way from a fork to the exec of a command.
//
// A child is forked, not spawned, since it has to wait at a gate until the agent has journalled it. Behind a fork
// nothing may be allocated (another thread may have held a lock), so all that the child needs is laid out before.
#pragma once

#include <signal.h>

#include <string>
#include <vector>

#include <lathe/proto/result.hpp>
#include <lathe/proto/warm_start.hpp>

#include "command.hpp"

namespace lathe::agent {

/// Waits at the gate, a socket; false: it was closed instead of opened. Safe behind a fork.
[[nodiscard]] bool pass_gate(int gate);

/// Opens the gate at whose other end a child waits.
void open_gate(int gate);

/// Every signal as a program expects to find it at its start, none blocked. Safe behind a fork.
void reset_signals();

/// Blocks all signals while it lives: across a fork, so that none reaches the agent's handlers inside the child.
class SignalBlock {
 public:
  SignalBlock();
  ~SignalBlock();
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;

 private:
  sigset_t before_{};
};

class LaunchPlan {
 public:
  /// An error when the environment holds an impossible name or the text a NUL. `command` must outlive the plan.
  [[nodiscard]] static proto::Result<LaunchPlan> make(const Command& command);

  /// Turns the calling process into the command; returns only when it cannot. Safe behind a fork.
  [[nodiscard]] proto::LaunchReport run() const;

 private:
  LaunchPlan() = default;

  const Command* command_ = nullptr;
  std::vector<std::string> environment_;
  std::vector<char*> environment_pointers_;
};

/// "cannot run the shell: No such file or directory"
[[nodiscard]] std::string describe(const proto::LaunchReport& report);

}  // namespace lathe::agent
