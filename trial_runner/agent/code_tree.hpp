// A copy of the user's code for one trial, so that an edit during an experiment does not reach the trials that run.
#pragma once

#include <atomic>
#include <filesystem>

#include <lathe/proto/result.hpp>

namespace lathe::agent {

/// Copies the folder `from` to `to`, which is replaced. Blocks (gibibytes may be moved), so not for the loop's thread.
///
/// Regular files keep permissions and modification time, and share their blocks with the original where the file
/// system can (FICLONE); folders keep permissions; relative links are kept as they are. Sockets, pipes and devices are
/// left out. Errors name the path: a link that is absolute or leads out of the tree, a `to` inside `from`, what cannot
/// be read or written, and `stop` becoming true.
[[nodiscard]] proto::Result<void> copy_code_tree(const std::filesystem::path& from, const std::filesystem::path& to,
                                                 const std::atomic<bool>& stop);

}  // namespace lathe::agent
