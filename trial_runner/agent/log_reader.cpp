#include "log_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "descriptor.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::size_t most_waiting = 64;
constexpr milliseconds longest_wait{30'000};
constexpr milliseconds look_interval{1000};  ///< where no notice of a change comes: a share, a file that is new
constexpr std::uint64_t longest_tail = 16 << 20;

Descriptor open_log(const fs::path& directory, const std::string& name) {
  const bool is_log = std::find(proto::log_names.begin(), proto::log_names.end(), name) != proto::log_names.end();
  if (!is_log) return {};
  const Descriptor folder(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.is_open()) return {};
  return Descriptor(::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

std::string read_at(int file, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  ssize_t count = 0;
  do {
    count = ::pread(file, bytes.data(), size, static_cast<off_t>(offset));
  } while (count < 0 && errno == EINTR);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

/// Where the last `lines` lines begin; the newline at the end separates nothing.
std::uint64_t tail_offset(int file, std::uint64_t size, std::int64_t lines) {
  if (lines == 0 || size == 0) return size;
  const std::uint64_t first = size - std::min(size, longest_tail);
  std::uint64_t position = read_at(file, size - 1, 1) == "\n" ? size - 1 : size;
  while (position > first) {
    const std::uint64_t begin = position - std::min<std::uint64_t>(position - first, proto::max_log_bytes);
    const std::string block = read_at(file, begin, position - begin);
    for (std::size_t i = block.size(); i > 0; --i) {
      if (block[i - 1] == '\n' && --lines == 0) return begin + i;
    }
    position = begin;
  }
  return first;
}

}  // namespace

proto::LogText read_log(const fs::path& directory, const proto::ReadLog& read) {
  proto::LogText text;
  text.request = read.request;
  text.runs = true;
  const Descriptor file = open_log(directory, read.name);
  struct stat status {};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return text;
  text.size = static_cast<std::uint64_t>(status.st_size);
  text.offset = read.tail ? tail_offset(file.get(), text.size, *read.tail) : read.offset;
  if (text.offset > text.size) text.offset = 0;  // cut short by its writer: a new beginning
  text.bytes =
      read_at(file.get(), text.offset,
              static_cast<std::size_t>(std::min<std::uint64_t>(text.size - text.offset, proto::max_log_bytes)));
  return text;
}

LogReader::LogReader(boost::asio::io_context& io, DirectoryOf directory_of, Send send)
    : directory_of_(std::move(directory_of)),
      send_(std::move(send)),
      watch_(io, [this](const std::string& trial_id) { look_again(trial_id); }),
      timer_(io) {}

void LogReader::take(proto::ReadLog read) {
  const auto directory = directory_of_(read.trial_id);
  proto::LogText text;
  text.request = read.request;
  if (directory) text = read_log(*directory, read);
  const bool waits = text.runs && text.bytes.empty() && read.wait_ms > 0 && waiting_.size() < most_waiting;
  if (!waits) return send_(text);
  read.offset = text.offset;
  read.tail.reset();
  const auto until = Clock::now() + std::min(longest_wait, milliseconds(read.wait_ms));
  // Before it is looked at once more, so that what is written in between is seen. Without a watch the timer looks.
  static_cast<void>(watch_.add(read.trial_id, *directory));
  const std::string trial_id = read.trial_id;
  waiting_[read.request] = {std::move(read), until};
  if (waiting_.size() == 1) arm_timer();
  look_again(trial_id);
}

void LogReader::look_again(const std::string& trial_id) {
  const auto directory = directory_of_(trial_id);
  bool is_awaited = false;
  for (auto each = waiting_.begin(); each != waiting_.end();) {
    const auto& [request, waiting] = *each;
    if (waiting.read.trial_id != trial_id) {
      ++each;
      continue;
    }
    proto::LogText text;
    text.request = request;
    if (directory) text = read_log(*directory, waiting.read);
    // A file that was cut short is news, too.
    const bool is_news = !text.runs || !text.bytes.empty() || text.offset != waiting.read.offset;
    if (is_news || Clock::now() >= waiting.until) {
      send_(text);
      each = waiting_.erase(each);
    } else {
      is_awaited = true;
      ++each;
    }
  }
  if (!is_awaited) watch_.remove(trial_id);
}

void LogReader::look_at_all() {
  std::set<std::string> trials;
  for (const auto& [request, waiting] : waiting_) trials.insert(waiting.read.trial_id);
  for (const std::string& trial_id : trials) look_again(trial_id);
}

void LogReader::arm_timer() {
  timer_.expires_after(look_interval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    look_at_all();
    if (!waiting_.empty()) arm_timer();
  });
}

void LogReader::forget_all() {
  for (const auto& [request, waiting] : waiting_) watch_.remove(waiting.read.trial_id);
  waiting_.clear();
  timer_.cancel();
}

}  // namespace lathe::agent
