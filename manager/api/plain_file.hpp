// A file that somebody else may still be writing, read safely: whatever a trial puts in its folder under a known name
// (a symbolic link, a pipe, a device), only a plain file in that very folder is opened (see open_beneath).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <lathe/proto/result.hpp>

#include "http/open_beneath.hpp"

namespace lathe::manager {

class PlainFile {
 public:
  /// Opens `path` below `root`. Folders of `root` itself may be links: they are its owner's, who may have experiments
  /// on a storage that a cluster shares. What lies in them may be a trial's. The error says what stands in the way;
  /// `field` is "missing" when there is no such file.
  [[nodiscard]] static proto::Result<std::shared_ptr<PlainFile>> open(const std::filesystem::path& root,
                                                                      const std::filesystem::path& path);
  explicit PlainFile(FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

  /// Bytes at present.
  [[nodiscard]] std::uint64_t size() const;

  /// At most `count` bytes from `offset`; empty at the end. Throws std::system_error when the disk fails.
  [[nodiscard]] std::string read(std::uint64_t offset, std::size_t count) const;

  /// Where the last `lines` lines begin, a last line without newline counted.
  [[nodiscard]] std::uint64_t tail_offset(std::int64_t lines) const;

  /// False when the other is another file, not just opened another time.
  [[nodiscard]] bool is_same_as(const PlainFile& other) const;

  /// A path that leads to this very file while it is open, whatever happens to its name.
  [[nodiscard]] std::filesystem::path handle() const;

 private:
  FileDescriptor descriptor_;
};

}  // namespace lathe::manager
