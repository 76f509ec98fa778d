// One agent a state folder: an advisory lock on DIR/lock that the kernel drops when its holder dies, however it dies.
#pragma once

#include <filesystem>
#include <string>

#include <tl/expected.hpp>

#include "descriptor.hpp"

namespace lathe::agent {

class StateLock {
 public:
  struct Refusal {
    bool is_held = false;  ///< true: another agent runs there; false: the file cannot be made or locked
    std::string message;
  };

  [[nodiscard]] static tl::expected<StateLock, Refusal> take(const std::filesystem::path& state_dir);

  /// Writes this process's id into the file, for people and for the message to a second agent.
  void note_owner() const;

 private:
  explicit StateLock(Descriptor file) : file_(std::move(file)) {}

  Descriptor file_;
};

}  // namespace lathe::agent
