#include "metric_tail.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace lathe::agent {

MetricTail::MetricTail(std::filesystem::path file, std::uint64_t offset)
    : file_(std::move(file)), base_(offset), read_(offset) {}

void MetricTail::start_over(std::uint64_t offset) {
  damaged_before_ += frames_.damaged();
  frames_ = {};
  base_ = offset;
  read_ = offset;
}

/// Bytes of the file that were not read yet. Only a regular file counts: a pipe or device would block or never end.
std::uint64_t MetricTail::available() {
  if (!descriptor_.is_open()) descriptor_ = Descriptor(::open(file_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (!descriptor_.is_open() || ::fstat(descriptor_.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    descriptor_.reset();
    return 0;
  }
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < read_) start_over(0);
  if (info.st_nlink > 0 || size > read_ || ::access(file_.c_str(), R_OK) != 0) return size - read_;
  // Removed, read to its end, and another stands in its place.
  descriptor_.reset();
  start_over(0);
  return available();
}

MetricTail::Chunk MetricTail::read(std::size_t max_bytes, bool is_complete) {
  Chunk chunk;
  // Where another host has written the file, only an open() makes this one ask how long it has become.
  if (is_complete) Descriptor(::open(file_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)).reset();
  const std::uint64_t waiting = available();
  if (waiting > 0) {
    std::string bytes(std::min<std::uint64_t>(waiting, max_bytes), '\0');
    const ssize_t count = ::pread(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(read_));
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    read_ += bytes.size();
    frames_.feed(bytes);
    // Nothing read where something is: a failing disk, which must not be asked for ever.
    chunk.at_end = bytes.empty() || bytes.size() == waiting;
  } else {
    chunk.at_end = true;
  }
  if (is_complete && chunk.at_end) frames_.finish();
  while (auto payload = frames_.next()) chunk.metrics.push_back({std::move(*payload), base_ + frames_.position()});
  return chunk;
}

}  // namespace lathe::agent
