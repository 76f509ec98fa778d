// Looks at the host while a daemon is connected, and tells what is new.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <lathe/proto/frames.hpp>

#include "gpu_query.hpp"

namespace lathe::agent {

/// Loop thread only.
class HostMonitor {
 public:
  using Report = std::function<void(const proto::HostReport&)>;
  using Sessions = std::function<std::map<std::int64_t, std::string>()>;

  /// `sessions` tells the trials by session (host_facts.hpp); `report` gets each report to send.
  HostMonitor(boost::asio::io_context& io, Children& children, std::filesystem::path root,
              const std::filesystem::path& nvidia_smi, Sessions sessions, Report report);

  /// A daemon is connected: reports at once (when nvidia-smi has answered), then whenever something is new, looking
  /// every 5 s. When it is only load, free memory or free disk space that is new, 30 s must have passed.
  void start();
  void stop();

 private:
  void look();
  void take(GpuState state);

  boost::asio::steady_timer timer_;
  std::filesystem::path root_;
  Sessions sessions_;
  Report report_;
  bool is_running_ = false;
  bool is_asking_ = false;                 ///< nvidia-smi has not answered yet
  std::optional<proto::HostReport> told_;  ///< last report of this connection
  GpuQuery query_;
};

/// Whether two reports differ in more than what always changes: time, load, free memory and free disk space.
[[nodiscard]] bool differ_in_substance(const proto::HostReport& one, const proto::HostReport& other);

}  // namespace lathe::agent
