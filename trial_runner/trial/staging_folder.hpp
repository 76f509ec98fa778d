// A folder that appears whole or not at all.
#pragma once

#include <filesystem>

#include "result.hpp"

namespace lathe::trial {

/// Files are made in a hidden folder beside the final one, which it becomes by a rename. Removed with all that is in it
/// unless that has happened, on SIGINT, SIGTERM and SIGHUP too, which end the process. One a process.
class StagingFolder {
 public:
  /// Errors: `final` is there and not empty, or its parent cannot be written.
  [[nodiscard]] static Result<StagingFolder> create(const std::filesystem::path& final);
  ~StagingFolder();
  StagingFolder(StagingFolder&& other) noexcept;
  StagingFolder& operator=(StagingFolder&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Gives it its final name.
  [[nodiscard]] Result<void> publish();

 private:
  StagingFolder(std::filesystem::path path, std::filesystem::path final);

  std::filesystem::path path_;  ///< empty: published or moved from
  std::filesystem::path final_;
};

}  // namespace lathe::trial
