// Tells the listeners of events when a host or the daemon as a whole is different: what changes within a pause is told
// together, and never twice the same. Loop thread only.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "experiment/service.hpp"

namespace lathe::manager {

/// The REST form.
[[nodiscard]] nlohmann::ordered_json to_json(const DaemonState& state, const std::string& version);

class StatusNews {
 public:
  /// How they are now; none: there is no such host.
  struct Sources {
    std::function<std::optional<HostStatus>(const std::string&)> host;
    std::function<DaemonState()> daemon;
  };

  /// `events` outlives it.
  StatusNews(boost::asio::any_io_executor executor, EventBus& events, Sources sources,
             std::chrono::milliseconds pause = std::chrono::seconds(1));

  void host_changed(const std::string& host);
  void daemon_changed();

 private:
  void begin();
  void publish();
  void publish_if_new(const std::string& key, const std::string& kind, std::string data);

  EventBus& events_;
  Sources sources_;
  boost::asio::steady_timer timer_;
  std::chrono::milliseconds pause_;
  bool is_pausing_ = false;
  std::set<std::string> hosts_;  ///< that have changed since they were told of
  bool daemon_ = false;
  std::map<std::string, std::string> told_;  ///< what was told last; the daemon's key is empty
};

}  // namespace lathe::manager
