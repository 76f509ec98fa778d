// A file that somebody else may still be writing, read safely: whatever a trial puts in its folder under a known name
// (a symbolic link, a pipe, a device), only a plain file in that very folder is opened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <lathe/proto/result.hpp>

namespace lathe::manager {

class PlainFile {
 public:
  /// The error says what stands in the way; `field` is "missing" when there is no such file.
  [[nodiscard]] static proto::Result<std::shared_ptr<PlainFile>> open(const std::filesystem::path& path);
  explicit PlainFile(int descriptor) : descriptor_(descriptor) {}
  ~PlainFile();
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;

  /// Bytes at present.
  [[nodiscard]] std::uint64_t size() const;

  /// At most `count` bytes from `offset`; empty at the end. Throws std::system_error when the disk fails.
  [[nodiscard]] std::string read(std::uint64_t offset, std::size_t count) const;

  /// Where the last `lines` lines begin, a last line without newline counted.
  [[nodiscard]] std::uint64_t tail_offset(std::int64_t lines) const;

  /// False when `path` leads to another file now: this one was rotated away or replaced.
  [[nodiscard]] bool is_still_at(const std::filesystem::path& path) const;

 private:
  int descriptor_;
};

}  // namespace lathe::manager
