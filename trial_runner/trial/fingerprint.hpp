// Whether files are still those that were read.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "setup.hpp"

namespace lathe::trial {

/// What `stat` tells of some files at one moment: which file each is, how long, and when it was written last.
class Fingerprint {
 public:
  /// Files that are not there are noted as such.
  explicit Fingerprint(std::vector<std::filesystem::path> files);

  /// The first file that is another one now, was changed, or is gone; nullopt: none.
  [[nodiscard]] std::optional<std::filesystem::path> changed() const;

 private:
  struct Mark {
    bool exists = false;
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t written_ns = 0;

    friend bool operator==(const Mark&, const Mark&) = default;
  };
  [[nodiscard]] static Mark mark_of(const std::filesystem::path& file);

  std::vector<std::pair<std::filesystem::path, Mark>> files_;
};

/// Model and data of a compression, and the program itself.
[[nodiscard]] std::vector<std::filesystem::path> files_of(const proto::CompressionConfig& config);

}  // namespace lathe::trial
