// Starting a command under a keeper.
#pragma once

#include <sys/types.h>

#include <lathe/proto/result.hpp>

#include "command.hpp"
#include "descriptor.hpp"

namespace lathe::agent {

/// A command that leads a process group in the session of its keeper. It waits at its gate, does nothing until that is
/// opened, and ends when it is closed before.
struct KeptProcess {
  pid_t keeper = 0;
  pid_t command = 0;
  Descriptor gate;
};

/// Forks a keeper, which forks the command. `exit_record` is for the keeper. An error when the environment holds an
/// impossible name or no process can be made.
[[nodiscard]] proto::Result<KeptProcess> start_kept(const Command& command, const Descriptor& exit_record);

}  // namespace lathe::agent
