#include "api/log_stream.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "api/blocking.hpp"
#include "api/file_watch.hpp"

namespace lathe::manager {
namespace {

namespace asio = boost::asio;

constexpr std::uint64_t piece_bytes = 256 * 1024;
constexpr std::string_view text_type = "text/plain; charset=utf-8";
/// Looks for a new file or more text at least this often, in case that no notice of it comes.
constexpr std::chrono::milliseconds longest_sleep{1000};

/// Copies a range of the file; returns where it stopped, before `end` only when the file ends there.
asio::awaitable<std::uint64_t> copy(std::shared_ptr<PlainFile> file, std::uint64_t begin, std::uint64_t end,
                                    BodyStream& out, asio::any_io_executor pool) {
  while (begin < end) {
    const std::uint64_t count = std::min(piece_bytes, end - begin);
    const auto read = [file, begin, count] { return file->read(begin, count); };
    const std::string piece = co_await run_blocking(pool, read);
    if (piece.empty()) break;
    co_await out.write(piece);
    begin += piece.size();
  }
  co_return begin;
}

/// Follows one file; lives as long as its answer.
class Follower {
 public:
  Follower(FollowedFile followed, asio::any_io_executor pool, asio::any_io_executor loop)
      : followed_(std::move(followed)), pool_(pool), waker_(std::make_shared<Waker>(loop)), watch_(loop, waker_) {}

  asio::awaitable<void> run(BodyStream& out) {
    const auto subscription = followed_.subscribe ? followed_.subscribe(waker_) : nullptr;
    for (;;) {
      // Asked before reading: what the writer wrote before its end is read after it.
      const bool is_over = co_await followed_.is_over();
      const Where where = is_over ? Where::Here : co_await take_text_from_there(out);
      if (where == Where::Here) co_await take_new_text(out);
      if (is_over || (followed_.is_once && (where == Where::Here || (end_ && offset_ >= *end_)))) co_return;
      if (where == Where::There) continue;
      co_await waker_->sleep(longest_sleep);
    }
  }

 private:
  using Where = LogPiece::Where;

  /// Piece by piece, each asked for when the one before is delivered.
  asio::awaitable<Where> take_text_from_there(BodyStream& out) {
    if (!followed_.read_there) co_return Where::Here;
    const auto tail = !attempt_ && !file_ ? followed_.tail : std::nullopt;
    const LogPiece piece = co_await followed_.read_there(attempt_, offset_, tail);
    if (piece.where != Where::There) co_return piece.where;
    if (!end_) end_ = piece.size;
    attempt_ = piece.attempt;
    offset_ = piece.offset + piece.bytes.size();
    is_there_ = true;
    file_.reset();
    if (!piece.bytes.empty()) co_await out.write(piece.bytes);
    co_return Where::There;
  }

  asio::awaitable<void> take_new_text(BodyStream& out) {
    if (file_) co_await copy_to_end(out);
    const bool is_first = !file_;
    const auto opened = PlainFile::open(followed_.root, followed_.path);
    if (!opened || (file_ && file_->is_same_as(**opened))) co_return;
    file_ = *opened;
    watch_.watch(file_->handle());
    // What came from its host is not told again once the file is here.
    const bool goes_on = std::exchange(is_there_, false);
    if (goes_on)
      offset_ = std::min(offset_, file_->size());
    else
      offset_ = is_first && followed_.tail ? file_->tail_offset(*followed_.tail) : 0;
    co_await copy_to_end(out);
  }

  asio::awaitable<void> copy_to_end(BodyStream& out) {
    const std::uint64_t size = file_->size();
    if (size < offset_) offset_ = 0;  // cut short by its writer: a new beginning
    offset_ = co_await copy(file_, offset_, size, out, pool_);
  }

  FollowedFile followed_;
  asio::any_io_executor pool_;
  std::shared_ptr<Waker> waker_;
  FileWatch watch_;
  std::shared_ptr<PlainFile> file_;
  std::uint64_t offset_ = 0;
  std::optional<std::int64_t> attempt_;  ///< whose text came from its host
  std::optional<std::uint64_t> end_;     ///< how much there was on the host at first
  bool is_there_ = false;                ///< the last text came from there
};

}  // namespace

HttpResponse file_response(std::shared_ptr<PlainFile> file, std::uint64_t begin, std::uint64_t end,
                           std::string content_type, asio::any_io_executor pool) {
  HttpResponse response = stream_response(std::move(content_type), [=](BodyStream& out) -> asio::awaitable<void> {
    co_await copy(file, begin, end, out, pool);
  });
  response.content_length = end - begin;
  return response;
}

HttpResponse follow_response(FollowedFile followed, asio::any_io_executor pool) {
  auto producer = [followed = std::move(followed), pool](BodyStream& out) -> asio::awaitable<void> {
    const auto loop = co_await asio::this_coro::executor;
    Follower follower(followed, pool, loop);
    co_await follower.run(out);
  };
  HttpResponse response = stream_response(std::string(text_type), std::move(producer));
  response.is_live = true;
  return response;
}

}  // namespace lathe::manager
