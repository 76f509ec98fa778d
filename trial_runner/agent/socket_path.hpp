// How to name the agent's socket, whatever the length of the path of its state folder.
//
// A Unix socket address holds 107 characters at most, and state folders are often longer. So both sides open the folder
// and name the socket through it: `/proc/self/fd/<descriptor of the folder>/socket`.
#pragma once

#include <fcntl.h>

#include <filesystem>
#include <string>

#include <lathe/proto/result.hpp>

#include "descriptor.hpp"
#include "system_error.hpp"

namespace lathe::agent {

class SocketPath {
 public:
  /// Opens the state folder; an error when it is missing or not a folder.
  [[nodiscard]] static proto::Result<SocketPath> open(const std::filesystem::path& state_dir) {
    Descriptor folder(::open(state_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open()) return proto::fail(describe_errno("cannot open the state folder " + state_dir.string()));
    return SocketPath(std::move(folder));
  }

  /// A path of the socket that fits into a sockaddr_un; valid in this process while this object lives.
  [[nodiscard]] std::string text() const { return "/proc/self/fd/" + std::to_string(folder_.get()) + "/socket"; }

 private:
  explicit SocketPath(Descriptor folder) : folder_(std::move(folder)) {}

  Descriptor folder_;
};

}  // namespace lathe::agent
