// Where folders go that nobody needs any more: moved away in one step, so that whatever dies, a folder is either there
// or not, and deleted piece by piece while there is nothing better to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include <lathe/proto/result.hpp>

namespace lathe::agent {

/// ROOT/trash. No link is followed on the way to a folder nor inside of it, whoever puts one there meanwhile. What an
/// earlier process left in the trash is deleted, too.
class Trash {
 public:
  explicit Trash(std::filesystem::path root);

  /// Moves ROOT/`folder` here. `folder` must stay below the root (proto::stays_below); one that is not there is done.
  [[nodiscard]] proto::Result<void> take(const std::string& folder);

  /// Deletes up to about `most` files and folders. False: nothing is left that can be deleted.
  bool empty_some(std::size_t most);

 private:
  [[nodiscard]] proto::Result<void> open();
  [[nodiscard]] std::string new_name();
  std::size_t clear(int trash, const std::string& name, std::size_t most);

  std::filesystem::path root_;
  std::string prefix_;  ///< of the names of this process
  std::uint64_t count_ = 0;
  std::set<std::string> stuck_;  ///< what cannot be deleted: a mount, a file of somebody else
};

}  // namespace lathe::agent
