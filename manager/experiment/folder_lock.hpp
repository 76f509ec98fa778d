// One daemon per data folder.
#pragma once

#include <filesystem>

#include <lathe/proto/result.hpp>

namespace lathe::manager {

/// Holds the folder's lock (lathed.lock) while it lives; the kernel lets go of it when the process dies.
class FolderLock {
 public:
  /// Fails when another process holds it, or the folder is not writable.
  [[nodiscard]] static proto::Result<FolderLock> take(const std::filesystem::path& folder);

  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FolderLock& operator=(FolderLock&& other) noexcept;

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace lathe::manager
