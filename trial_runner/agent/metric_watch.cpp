#include "metric_watch.hpp"

#include <sys/inotify.h>

#include <set>
#include <utility>

namespace lathe::agent {

MetricWatch::MetricWatch(boost::asio::io_context& io, Changed changed) : inotify_(io), changed_(std::move(changed)) {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return;
  inotify_.assign(fd);
  wait();
}

bool MetricWatch::add(const std::string& trial_id, const std::filesystem::path& folder) {
  if (!inotify_.is_open()) return false;
  const int watch = ::inotify_add_watch(inotify_.native_handle(), folder.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
  if (watch < 0) return false;
  trials_[watch] = trial_id;
  watches_[trial_id] = watch;
  return true;
}

void MetricWatch::remove(const std::string& trial_id) {
  const auto watch = watches_.find(trial_id);
  if (watch == watches_.end()) return;
  ::inotify_rm_watch(inotify_.native_handle(), watch->second);
  trials_.erase(watch->second);
  watches_.erase(watch);
}

void MetricWatch::wait() {
  inotify_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    report();
    wait();
  });
}

void MetricWatch::report() {
  std::set<std::string> grown;
  ssize_t count = 0;
  while ((count = ::read(inotify_.native_handle(), events_.data(), events_.size())) > 0) {
    for (const char* at = events_.data(); at < events_.data() + count;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      if ((event->mask & IN_Q_OVERFLOW) != 0) {
        for (const auto& [watch, trial_id] : trials_) grown.insert(trial_id);
      } else if (const auto trial = trials_.find(event->wd); trial != trials_.end()) {
        grown.insert(trial->second);
      }
    }
  }
  for (const std::string& trial_id : grown) changed_(trial_id);
}

}  // namespace lathe::agent
