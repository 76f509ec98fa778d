// Brings the inputs of trials to a host and their results back, over a stream to `lathe-agent --files`. Blocking; each
// host has a thread for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <lathe/proto/file_stream.hpp>
#include <lathe/proto/result.hpp>

#include "hosts/host.hpp"
#include "hosts/ssh/manifest.hpp"

namespace lathe::manager {

/// Hashes of files that have not changed since (size, time and inode are the same).
class HashCache {
 public:
  [[nodiscard]] proto::Result<std::string> hash_of(const std::filesystem::path& file);

 private:
  struct Known {
    std::int64_t size = 0;
    std::int64_t time_ns = 0;
    std::uint64_t inode = 0;
    std::string hash;
  };
  std::map<std::filesystem::path, Known> known_;
};

/// What lies where on a host, as far as this daemon has laid it out: by path.
using Placed = std::map<std::string, ManifestEntry>;

class FileTransfer {
 public:
  FileTransfer(proto::FileStream stream, HashCache& hashes, Placed& placed)
      : stream_(stream), hashes_(hashes), placed_(placed) {}

  /// Sends what the host's store does not have, and has all inputs laid out. What lies there already is left alone: a
  /// trial that starts now may be reading it.
  /// Tells in which folder each Code input lies, by its `to`.
  using CodeFolders = std::map<std::string, std::string>;
  [[nodiscard]] proto::Result<CodeFolders> put(const std::vector<TrialInput>& inputs);

  /// Copies the files below `folder` on the host into `target` here, but for what `skip` names at the top.
  [[nodiscard]] proto::Result<void> fetch(const std::string& folder, const std::filesystem::path& target,
                                          const std::vector<std::string>& skip);

  /// The folders of experiments, trials and programs on the host, relative to the agent's root.
  [[nodiscard]] proto::Result<std::vector<std::string>> list();
  /// Removes such folders. `root`: the agent's.
  [[nodiscard]] proto::Result<void> remove(const std::string& root, const std::vector<std::string>& folders);
  /// Removes what is idle: files of the store, agents of other builds.
  [[nodiscard]] proto::Result<void> prune();

 private:
  [[nodiscard]] proto::Result<std::string> put_code(const TrialInput& code);
  [[nodiscard]] proto::Result<void> send_missing(const Manifest& manifest);
  [[nodiscard]] proto::Result<void> place(const nlohmann::ordered_json& message);

  proto::FileStream stream_;
  HashCache& hashes_;
  Placed& placed_;
};

}  // namespace lathe::manager
