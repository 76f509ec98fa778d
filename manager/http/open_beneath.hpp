// Opens files of a folder so that no path leads out of it: the one way in which served files are opened.
#pragma once

#include <filesystem>
#include <utility>

#include <lathe/proto/result.hpp>

namespace lathe::manager {

/// A file descriptor that is closed when it dies.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number = -1) : number_(number) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

/// Opens the plain file at `relative` below `root` for reading. Every folder on the way is opened from the one before,
/// and none of them, nor the file, may be a symbolic link; so it does not matter who renames what meanwhile. `root`
/// itself may be reached by links. Pipes, devices, sockets and folders are refused without waiting for anybody.
/// The error says what stands in the way; its `field` is "missing" when there is no such file.
[[nodiscard]] proto::Result<FileDescriptor> open_beneath(const std::filesystem::path& root,
                                                         const std::filesystem::path& relative);

}  // namespace lathe::manager
