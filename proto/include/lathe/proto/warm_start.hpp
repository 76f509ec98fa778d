// Starting a trial as a fork of a warm parent: what lathe-agent and `lathe-trial serve` say to each other.
//
// A warm parent has the program, the model and the data in memory; a trial that is forked from it skips loading them.
// Its standard input is one end of a SOCK_SEQPACKET pair, the other end is the agent's. The parent sends `warm_ready`
// once. From then on each message of the agent is `warm_request` with the descriptors of WarmDescriptor. The parent
// forks twice, so that the trial becomes a child of the agent (a subreaper), which then sees its end as that of any
// other trial. The words about a trial go over its gate, a SOCK_SEQPACKET pair too:
//
//   child → agent   `warm_hello`, when it leads a process group of its own; the kernel adds its process id
//   parent → agent  `warm_refusal` and a reason, when no child could be made
//   agent → child   one byte: go; the end of the stream: the child exits, as its start was not journalled
//   child → agent   a LaunchReport, when it cannot be set up; else the gate is closed
//
// The end of standard input ends the parent.
#pragma once

#include <cstddef>
#include <string_view>

namespace lathe::proto {

/// A variable of StartTrial.environment for the agent alone, which takes it out: the shell command that starts the warm
/// parent this trial may be forked from. Trials with the same command share a parent.
inline constexpr std::string_view warm_parent_variable = "LATHE_WARM_PARENT";

inline constexpr char warm_ready = 'R';
inline constexpr char warm_request = 'F';
inline constexpr char warm_hello = 'H';
inline constexpr char warm_refusal = '!';

/// The order of the descriptors in a request.
enum class WarmDescriptor : std::size_t {
  WorkingDirectory,
  StandardOutput,
  StandardError,
  Environment,  ///< a file: every variable as NAME=value and a NUL character; it replaces the parent's environment
  Gate,
};
inline constexpr std::size_t warm_descriptors = 5;

enum class LaunchStep : int { Gate, Directory, Descriptors, Exec };

/// What a process that could not be set up or run sends through its gate.
struct LaunchReport {
  LaunchStep step = LaunchStep::Gate;
  int code = 0;  ///< errno
};

}  // namespace lathe::proto
