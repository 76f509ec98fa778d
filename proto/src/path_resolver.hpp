// Paths in a config: expanded, looked up, checked.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <lathe/proto/experiment_config.hpp>
#include <lathe/proto/result.hpp>

#include "problems.hpp"
#include "value.hpp"

namespace lathe::proto {

enum class PathKind { File, Directory };

class PathResolver {
 public:
  /// Looks relative paths up in `search_path`, in order, and checks that what they name exists and can be read.
  explicit PathResolver(std::vector<std::filesystem::path> search_path) : search_path_(std::move(search_path)) {}

  /// For text that to_json() wrote: paths must be absolute, are taken as they are, and the disk is not asked.
  [[nodiscard]] static PathResolver verbatim();

  /// The absolute, lexically normal path, after a leading `~` became the home folder and `${NAME}` the variable's
  /// value. Nullopt: what is wrong was noted.
  [[nodiscard]] std::optional<std::filesystem::path> resolve(const Value& value, PathKind kind,
                                                             Problems& problems) const;

  /// Whether it is for text that to_json() wrote, which holds no secrets.
  [[nodiscard]] bool is_verbatim() const { return verbatim_; }

  [[nodiscard]] const std::vector<std::filesystem::path>& search_path() const { return search_path_; }

 private:
  [[nodiscard]] Result<std::filesystem::path> look_up(const std::string& text, PathKind kind) const;

  std::vector<std::filesystem::path> search_path_;
  bool verbatim_ = false;
};

/// `~` and `${NAME}` replaced; a variable that is unset or empty is an error.
[[nodiscard]] Result<std::string> expand_path(const std::string& text);

/// Absolute, without `.`, `..` and a slash at the end.
[[nodiscard]] std::filesystem::path normal_path(const std::filesystem::path& path);

/// Why `path` is not a readable file or folder; nullopt: it is.
[[nodiscard]] std::optional<std::string> unusable_reason(const std::filesystem::path& path, PathKind kind);

}  // namespace lathe::proto
