// What the inputs of a trial are on disk: files by their hashes, folders, links.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

#include "hosts/host.hpp"

namespace lathe::manager {

class HashCache;

struct ManifestEntry {
  std::string to;
  std::string hash;
  unsigned mode = 0644;
  bool own = false;  ///< a copy of its own, which may be written to; else a link into the store

  friend bool operator==(const ManifestEntry&, const ManifestEntry&) = default;
};

struct Manifest {
  std::vector<ManifestEntry> entries;
  std::vector<std::string> folders;
  std::vector<std::pair<std::string, std::string>> links;  ///< where and to what
  std::map<std::string, std::filesystem::path> files;      ///< by hash
  std::map<std::string, std::string> texts;                ///< by hash

  /// The `place` message of file_stream.hpp.
  [[nodiscard]] nlohmann::ordered_json place() const;

  /// Names what lies in `folder` by a hash of it all, and moves it to the folder of that name below `folder`.
  std::string move_below_version(const std::string& folder);
};

/// Looks at the disk. A folder's `.latheignore` (or NNI's `.nniignore`) names what stays behind: a pattern of fnmatch a
/// line, against the name or, when there is a slash in it, the path below the folder; a slash at the end means folders
/// alone, `#` begins a comment. Links that lead out of the folder are followed, other ones stay links.
[[nodiscard]] proto::Result<Manifest> manifest_of(const std::vector<TrialInput>& inputs, HashCache& hashes);

}  // namespace lathe::manager
