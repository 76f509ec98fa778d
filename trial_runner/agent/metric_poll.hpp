// Looks after metrics files that inotify tells nothing about: those that another host writes on a shared file system,
// and all when the kernel has no more watches to give. A file that grows is looked at every 200 ms, one that does not
// less and less often, down to every 2 s.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "poll_pace.hpp"

namespace lathe::agent {

class MetricPoll {
 public:
  /// Called on the loop with the id of a trial whose file is another than before.
  using Changed = std::function<void(const std::string& trial_id)>;

  MetricPoll(boost::asio::io_context& io, Changed changed);

  void add(const std::string& trial_id, std::filesystem::path file);
  /// Ids that are not polled are ignored.
  void remove(const std::string& trial_id) { files_.erase(trial_id); }

 private:
  using Clock = std::chrono::steady_clock;

  struct File {
    std::filesystem::path path;
    std::uint64_t size;
    std::uint64_t inode;
    PollPace pace;
    Clock::time_point due;
  };

  void wait();
  void look();
  [[nodiscard]] static bool has_changed(File& file);

  Changed changed_;
  boost::asio::steady_timer timer_;
  std::map<std::string, File> files_;
  bool is_waiting_ = false;
};

}  // namespace lathe::agent
