// What has changed, told to whoever listens (server-sent events). Loop thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace lathe::manager {

/// `kind`: "experiment", "trial", "metric" or "deleted", and "host" and "daemon", which belong to no experiment;
/// `data`: the REST form of what changed.
struct Event {
  std::uint64_t id = 0;  ///< counts up while the daemon lives
  std::string experiment_id;
  std::string kind;
  std::string data;  ///< JSON text
};

/// Fans events out and keeps the latest few thousand, so that a listener that lost its connection can go on where it
/// was.
class EventBus {
 public:
  using Listener = std::function<void(const Event&)>;

  explicit EventBus(std::size_t history = 4096);

  /// Tells every listener, in the order of publish. Building `data` is skipped when nobody could ever read it: call
  /// wanted() first where that is costly.
  void publish(std::string experiment_id, std::string kind, std::string data);

  /// False until somebody has subscribed for the first time: nobody can ask for what was published before that.
  [[nodiscard]] bool wanted() const { return wanted_; }

  /// Random per process: part of the SSE event id, so that an id from before a restart is recognised as foreign.
  [[nodiscard]] const std::string& epoch() const { return epoch_; }
  [[nodiscard]] std::uint64_t last_id() const { return last_id_; }

  /// Events after `id`, oldest first; nullopt when some of them have been dropped already (the listener must start
  /// over).
  [[nodiscard]] std::optional<std::vector<Event>> since(std::uint64_t id) const;

  /// The listener is told of events until the returned handle dies.
  [[nodiscard]] std::shared_ptr<void> subscribe(Listener listener);

 private:
  std::string epoch_;
  std::uint64_t last_id_ = 0;
  std::size_t limit_;
  std::deque<Event> history_;
  std::shared_ptr<std::map<std::uint64_t, Listener>> listeners_;
  std::uint64_t next_listener_ = 0;
  bool wanted_ = false;
};

}  // namespace lathe::manager
