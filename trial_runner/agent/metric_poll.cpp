#include "metric_poll.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <utility>
#include <vector>

#include "descriptor.hpp"

namespace lathe::agent {
namespace {

constexpr std::chrono::milliseconds shortest{200};
constexpr std::chrono::milliseconds longest{2000};

}  // namespace

MetricPoll::MetricPoll(boost::asio::io_context& io, Changed changed) : changed_(std::move(changed)), timer_(io) {}

void MetricPoll::add(const std::string& trial_id, std::filesystem::path file) {
  files_.insert_or_assign(trial_id, File{std::move(file), 0, 0, PollPace(shortest, longest), Clock::now() + shortest});
  if (!std::exchange(is_waiting_, true)) wait();
}

void MetricPoll::wait() {
  timer_.expires_after(shortest);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    look();
    is_waiting_ = !files_.empty();
    if (is_waiting_) wait();
  });
}

void MetricPoll::look() {
  const auto now = Clock::now();
  std::vector<std::string> changed;
  for (auto& [trial_id, file] : files_) {
    if (file.due > now) continue;
    if (has_changed(file)) {
      changed.push_back(trial_id);
      file.pace.news();
    } else {
      file.pace.no_news();
    }
    file.due = now + file.pace.wait();
  }
  for (const std::string& trial_id : changed) changed_(trial_id);
}

/// Only an open() makes NFS ask the server how long the file is now; a stat() is answered from memory for a while.
bool MetricPoll::has_changed(File& file) {
  const Descriptor opened(::open(file.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (!opened.is_open() || ::fstat(opened.get(), &info) != 0) return false;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const auto inode = static_cast<std::uint64_t>(info.st_ino);
  const bool is_same = size == file.size && inode == file.inode;
  file.size = size;
  file.inode = inode;
  return !is_same;
}

}  // namespace lathe::agent
