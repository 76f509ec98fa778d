// An experiment's server-sent events, followed across lost connections.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "http/client.hpp"
#include "http/sse.hpp"

namespace lathe::cli {

/// What EventStream::next found instead of an event.
enum class StreamNotice {
  Connected,     ///< the stream is open (again): what happened before is to be asked for by a plain GET
  Disconnected,  ///< the connection was lost; it is tried again after a pause
  TimedOut,      ///< nothing until the deadline
  Interrupted,   ///< a signal
};

class EventStream {
 public:
  using Clock = std::chrono::steady_clock;
  using Item = std::variant<ServerEvent, StreamNotice>;

  /// `target`: path of the stream. `give_up`: how long the daemon may stay away before next() fails.
  EventStream(const HttpClient& client, std::string target, std::chrono::milliseconds give_up);

  /// The next event or notice. Fails when the daemon refuses the stream, stays away too long, or was never there.
  [[nodiscard]] Outcome<Item> next(Clock::time_point deadline);

 private:
  [[nodiscard]] Outcome<Item> connect(Clock::time_point deadline);
  [[nodiscard]] Outcome<Item> lost(Failure why);

  HttpClient client_;
  std::string target_;
  std::chrono::milliseconds give_up_;
  std::optional<ResponseStream> stream_;
  SseParser parser_;
  std::string last_id_;
  bool was_connected_ = false;
  std::optional<Clock::time_point> lost_since_;
  Clock::time_point last_heard_ = Clock::time_point::min();
  Clock::time_point next_try_ = Clock::time_point::min();
  std::chrono::milliseconds delay_;
};

}  // namespace lathe::cli
