// What the kernel tells about a process, and telling a process from a later one with the same id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  std::int64_t parent = 0;
  std::int64_t group = 0;
  std::int64_t session = 0;
  std::uint64_t start_ticks = 0;

  [[nodiscard]] bool is_dead() const { return state == 'Z' || state == 'X'; }
};

/// nullopt: there is no such process, or /proc says something unreadable.
[[nodiscard]] std::optional<ProcessStat> read_process_stat(std::int64_t pid);

/// Of all processes that /proc shows.
[[nodiscard]] std::vector<std::int64_t> process_ids();

[[nodiscard]] std::string read_boot_id();

/// The process that has this id now; nullopt: there is none, or it has ended and only waits to be reaped.
[[nodiscard]] std::optional<ProcessIdentity> identify(std::int64_t pid);

/// The very process lives.
[[nodiscard]] bool is_alive(const ProcessIdentity& process);

}  // namespace lathe::agent
