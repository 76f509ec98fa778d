// ROOT/store: files by their hashes, sent to a host once, whoever needs them. One process at a time uses it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include <lathe/proto/file_stream.hpp>
#include <lathe/proto/result.hpp>

namespace lathe::agent {

/// How a file of the store appears in its place.
struct Placement {
  std::filesystem::path to;
  std::string hash;
  unsigned mode = 0644;
  bool own = false;  ///< a copy that may be written to; else a link into the store
};

/// What is linked from somewhere is in use. Anything else stays until nobody has asked for it for a week, or its room
/// is needed.
class FileStore {
 public:
  static constexpr std::chrono::hours longest_idleness{7 * 24};

  explicit FileStore(const std::filesystem::path& root) : folder_(root / "store") {}

  [[nodiscard]] proto::Result<void> open();

  /// Whether it is here. It counts as used now, and stays until forget_questions().
  [[nodiscard]] bool has(const std::string& hash);

  /// Takes `size` bytes from the stream, and keeps them if they have the hash. An error is of the stream when it begins
  /// with "the connection"; else the stream goes on.
  [[nodiscard]] proto::Result<void> keep(const std::string& hash, std::uint64_t size, proto::FileStream& stream);

  /// Puts it into its place, from one moment to the next; the folder is there.
  [[nodiscard]] proto::Result<void> place(const Placement& placement) const;

  [[nodiscard]] std::uint64_t size_of(const std::string& hash) const;

  /// Removes what is not in use, the longest idle first, until so much is free, if that is possible.
  void make_room(std::uint64_t bytes);

  /// What has() was asked for is in its place by now.
  void forget_questions() { asked_.clear(); }

  /// Removes what has been idle for too long, and halves of files that never became whole.
  void prune();

 private:
  [[nodiscard]] proto::Result<void> share(const Placement& placement, const std::filesystem::path& to) const;

  std::filesystem::path folder_;
  std::set<std::string> asked_;
};

/// Adds to an error that says so that the disk is full: how much is free where `folder` is, how much is needed, and
/// what to do. Other errors stay as they are.
[[nodiscard]] std::string explain_full_disk(const std::string& error, const std::filesystem::path& folder,
                                            std::uint64_t needed);

}  // namespace lathe::agent
