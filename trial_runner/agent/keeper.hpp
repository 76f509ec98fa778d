// The process between an agent and a trial: parent of the trial's command, and of nothing else.
//
// Only a parent learns how a process ended. An agent may die and be followed by another; a keeper does nothing that
// could make it die, so a trial's end is never lost with an agent (containerd's shims do the same for containers). It
// leads a session of its own, in which the command leads a process group; it is a subreaper, so that what the command
// leaves behind comes to it. When the command has ended it kills what is left of the group, writes the ExitRecord and
// exits: that exit is the trial's end.
//
// It listens to two signals of an agent, and to no other that can be blocked. It is a fork of the agent, or, for a
// trial that is forked from a warm parent, of that, and then runs the agent's program anew to be rid of the parent's
// memory.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <optional>

namespace lathe::agent {

inline constexpr int terminate_signal = SIGUSR1;  ///< SIGTERM to the group; what is left of it may take its time to end
inline constexpr int kill_signal = SIGUSR2;       ///< SIGKILL to the group

/// What a keeper holds.
struct Kept {
  pid_t command = 0;       ///< a child of the caller that leads, or soon will, a group of its own
  int exit_record = -1;    ///< where to write the ExitRecord
  int launch_report = -1;  ///< a pipe that says why the command could not be run, if so
};

/// Makes the calling process, which was just forked, fit to have the command as its child. All signals are blocked
/// then.
void become_keeper();

/// Closes all descriptors but those of `kept` and `also`, which come to be elsewhere, and leads the standard streams to
/// nowhere: a lock, a socket or a terminal of the agent's must not stay in use for as long as the trial runs. Returns
/// where `also` is now; -1: it is not open.
int drop_descriptors(Kept& kept, int also);

/// Drops all other descriptors and waits for the command's end. Nothing here allocates.
[[noreturn]] void keep(Kept kept);

/// What the arguments of a program run by a keeper-to-be say (lathe/proto/warm_start.hpp); nullopt: they are others.
[[nodiscard]] std::optional<Kept> kept_by_arguments(int argc, const char* const* argv);

}  // namespace lathe::agent
