// Files that only their owner may read. Blocking.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <string_view>

#include <lathe/proto/result.hpp>

#include "http/open_beneath.hpp"

namespace lathe::manager {

struct PrivateText {
  std::string text;
  struct stat status {};
};

/// Reads the file if it belongs to this process's user (for root: to the owner of its folder) and nobody else has
/// access. The error names the chmod or chown
/// that helps; its `field` is "missing" when there is no such file.
[[nodiscard]] proto::Result<PrivateText> read_private(const std::filesystem::path& path);

/// Writes the file with mode 0600 and that same owner beside its place and renames it, so that a reader never sees half
/// of it and a crash leaves the old one.
[[nodiscard]] proto::Result<void> write_private(const std::filesystem::path& path, std::string_view text);

/// Waits until no other process holds the lock of that name; it is held while the descriptor lives.
[[nodiscard]] proto::Result<FileDescriptor> lock_file(const std::filesystem::path& path);

}  // namespace lathe::manager
