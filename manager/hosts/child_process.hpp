// Processes that the daemon starts: what they get, and waiting for their end.
#pragma once

#include <spawn.h>
#include <sys/types.h>

#include <chrono>
#include <optional>

namespace lathe::manager {

/// What a child gets: three streams and no other open file, no blocked or ignored signals.
class SpawnSettings {
 public:
  /// Descriptors; below 0: /dev/null.
  struct Streams {
    int in = -1;
    int out = -1;
    int err = -1;
  };

  /// In a session of its own a child finds no terminal to ask at, and a Ctrl-C at the daemon's is not meant for it.
  SpawnSettings(const Streams& streams, bool own_session);
  ~SpawnSettings();
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

/// Waits for a child, which is killed when it outstays the time, and reaps it. Its wait status; none: it was killed
/// here. Blocking.
std::optional<int> wait_for_child(pid_t pid, std::chrono::milliseconds patience);

}  // namespace lathe::manager
