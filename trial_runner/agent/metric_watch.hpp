// Tells which trials' metrics may have grown: one inotify instance for all of them.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace lathe::agent {

class MetricWatch {
 public:
  /// Called on the loop with a trial's id, once for any number of changes at a time.
  using Changed = std::function<void(const std::string& trial_id)>;

  MetricWatch(boost::asio::io_context& io, Changed changed);

  /// Watches the folder that will hold the metrics file. false: the kernel has no more watches to give, and the caller
  /// has to look by itself.
  [[nodiscard]] bool add(const std::string& trial_id, const std::filesystem::path& folder);
  void remove(const std::string& trial_id);

 private:
  void wait();
  void report();

  boost::asio::posix::stream_descriptor inotify_;
  Changed changed_;
  std::map<int, std::string> trials_;
  std::map<std::string, int> watches_;
  alignas(8) std::array<char, 16384> events_{};
};

}  // namespace lathe::agent
