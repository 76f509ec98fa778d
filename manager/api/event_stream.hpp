// Server-sent events: what the event bus says, to one client. Loop thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "experiment/events.hpp"
#include "http/response.hpp"

namespace lathe::manager {

struct EventStreamOptions {
  std::string experiment_id;                   ///< empty: of every experiment
  std::set<std::string, std::less<>> kinds;    ///< empty: all
  std::optional<std::string> last_event_id;    ///< of a client that comes back: `<epoch>-<n>`
  std::size_t queue_bytes = 4u << 20;          ///< a client that has more than this waiting is cut off
  std::chrono::milliseconds heartbeat{15000};  ///< a comment after so long without an event
};

/// Events as bytes, formatted once for all streams: a listener of the bus asks for the same event as the one before it.
class EventFrames {
 public:
  using Frame = std::shared_ptr<const std::string>;
  [[nodiscard]] Frame of(const EventBus& bus, const Event& event);

 private:
  std::uint64_t id_ = 0;  ///< of the event in `frame_`; 0: none
  Frame frame_;
};

/// Begins with `ready`, with the events since `last_event_id`, or with `reset` when those are not known any more.
[[nodiscard]] HttpResponse event_stream(EventBus& bus, std::shared_ptr<EventFrames> frames, EventStreamOptions options);

/// The bytes of one event; `data` may hold newlines.
[[nodiscard]] std::string format_event(std::string_view id, std::string_view kind, std::string_view data);

}  // namespace lathe::manager
