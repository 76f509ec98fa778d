// A child that serves the agent itself and must not outlive it: a warm parent, a program that looks at the GPUs.
#pragma once

#include <sys/types.h>

#include <lathe/proto/result.hpp>

#include "command.hpp"

namespace lathe::agent {

/// Runs the command in a process group of its own (group id = pid), which is killed when this process ends, however it
/// ends. The caller's loop reaps it. An error when the environment holds an impossible name or no process can be made.
[[nodiscard]] proto::Result<pid_t> start_child(const Command& command);

}  // namespace lathe::agent
