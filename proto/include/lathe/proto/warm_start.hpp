// Starting a trial as a fork of a warm parent: what lathe-agent and `lathe-trial serve` say to each other.
//
// A warm parent has the program, the model and the data in memory; a trial that is forked from it skips loading them.
// Its standard input is one end of a SOCK_SEQPACKET pair, the other end is the agent's. The parent sends `warm_ready`
// once. From then on each message of the agent is `warm_request` with the descriptors of WarmDescriptor. The parent
// forks the trial's keeper, which leads a new session, is a subreaper and has all signals blocked; the keeper forks the
// trial and then runs the agent's program (KeeperProgram) with the arguments `keeper_option` and the trial's process
// id, the ExitRecord at descriptor 3 and the reading end of a pipe at 4. The words about a trial go over its gate, a
// SOCK_SEQPACKET pair too:
//
//   trial → agent   `warm_hello`, when it leads a process group of its own; the kernel adds its process id, and its
//                   session is the keeper
//   parent → agent  `warm_refusal` and a reason, when no child could be made
//   agent → trial   one byte: go; the end of the stream: the trial exits, as its start was not journalled
//
// A trial that was not let go or cannot be set up tells its keeper so by a LaunchReport through the pipe, whose other
// end it closes when it can. The end of standard input ends the parent.
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
  ExitRecord,     ///< the file in which the keeper writes how the trial ended
  KeeperProgram,  ///< the agent's executable
};
inline constexpr std::size_t warm_descriptors = 7;

inline constexpr std::string_view keeper_option = "--keep";
inline constexpr int keeper_record_descriptor = 3;
inline constexpr int keeper_report_descriptor = 4;

enum class LaunchStep : int { Gate, Directory, Descriptors, Exec };

/// What a process that could not be set up or run tells its keeper. `Gate` with code 0: it was not let go.
struct LaunchReport {
  LaunchStep step = LaunchStep::Gate;
  int code = 0;  ///< errno

  friend bool operator==(const LaunchReport&, const LaunchReport&) = default;
};

}  // namespace lathe::proto
