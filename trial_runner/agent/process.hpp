// Starting the process of a trial, and telling a process from a later one with the same id.
//
// A child is forked, not spawned, and waits at a gate until the agent has journalled it: an agent that is killed in
// between leaves no process behind that nobody knows of. The agent is small and has one thread, so that a fork is cheap
// and safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <lathe/proto/result.hpp>

#include "descriptor.hpp"

namespace lathe::agent {

/// A process for good: process ids come back, the three together do not.
struct ProcessIdentity {
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< field 22 of /proc/PID/stat: start in clock ticks since boot
  std::string boot_id;            ///< /proc/sys/kernel/random/boot_id

  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

/// The fields of /proc/PID/stat that matter here.
struct ProcessStat {
  char state = '?';
  std::int64_t group = 0;
  std::int64_t session = 0;
  std::uint64_t start_ticks = 0;
};

/// nullopt: there is no such process, or /proc says something unreadable.
[[nodiscard]] std::optional<ProcessStat> read_process_stat(std::int64_t pid);
[[nodiscard]] std::string read_boot_id();

/// What to run, and with what.
struct Command {
  std::string shell;  ///< absolute path; run as `shell -c text`
  std::string text;
  std::map<std::string, std::string> environment;  ///< added to ours
  Descriptor working_directory;
  Descriptor standard_output;
  Descriptor standard_error;
  Descriptor standard_input{};   ///< not open: /dev/null
  bool dies_with_agent = false;  ///< killed when this process ends, however it ends
};

/// A child in a process group of its own (group id = pid), which does nothing until it is released and dies when its
/// gate is closed before that.
class GatedProcess {
 public:
  /// An error when the environment holds an impossible name or no process can be made.
  [[nodiscard]] static proto::Result<GatedProcess> start(const Command& command);

  /// A process that somebody else has made and that waits at the other end of `gate`.
  [[nodiscard]] static GatedProcess adopt(pid_t pid, Descriptor gate) { return {pid, std::move(gate)}; }

  [[nodiscard]] pid_t pid() const { return pid_; }
  void release();

  /// Once the process has ended: why the command could not be run at all; nullopt: it was run.
  [[nodiscard]] std::optional<std::string> launch_failure() const;

 private:
  GatedProcess(pid_t pid, Descriptor gate) : pid_(pid), gate_(std::move(gate)) {}

  pid_t pid_;
  Descriptor gate_;
};

/// bash from PATH or the usual places, else /bin/sh.
[[nodiscard]] std::string find_shell();

}  // namespace lathe::agent
