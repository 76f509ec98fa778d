// Text files and downloads as answers: read in pieces, followed as they grow.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "api/plain_file.hpp"
#include "api/query.hpp"
#include "api/waker.hpp"
#include "experiment/service.hpp"
#include "http/response.hpp"

namespace lathe::manager {

/// The present content of the file from `begin`, with its Content-Length.
[[nodiscard]] HttpResponse file_response(std::shared_ptr<PlainFile> file, std::uint64_t begin, std::uint64_t end,
                                         std::string content_type, boost::asio::any_io_executor pool);

/// A file that is followed until its writer has ended.
struct FollowedFile {
  std::filesystem::path root;        ///< folder that the path must not leave
  std::filesystem::path path;        ///< below root; may not exist yet, and may be replaced by a new file
  std::optional<std::int64_t> tail;  ///< lines to begin with; none: the whole file
  /// Whether nothing more will be written. Asked at first and after each `wake`.
  std::function<boost::asio::awaitable<bool>()> is_over;
  /// Makes the waker be woken when is_over may have changed, for as long as the handle lives; may be empty.
  std::function<std::shared_ptr<void>(std::shared_ptr<Waker>)> subscribe;
  /// Reads it on the host of the trial, waiting for text there; unset, or a piece that lies Here: it is to be read
  /// here.
  std::function<boost::asio::awaitable<LogPiece>(std::optional<std::int64_t> attempt, std::uint64_t offset,
                                                 std::optional<std::int64_t> tail)>
      read_there{};
  bool is_once = false;  ///< what there is at first, and no more
};

/// Writes the file as it grows; everything written before the end is delivered.
[[nodiscard]] HttpResponse follow_response(FollowedFile followed, boost::asio::any_io_executor pool);

}  // namespace lathe::manager
