// The text/event-stream format (WHATWG HTML, "Server-sent events"), without any network.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace lathe::cli {

struct ServerEvent {
  std::string id;    ///< last id seen so far, which the format lets events inherit
  std::string kind;  ///< `message` when the stream names none
  std::string data;  ///< lines joined by newlines
};

/// Cuts a byte stream into events. Feed bytes as they come; take events until none is left.
class SseParser {
 public:
  void feed(std::string_view bytes);
  [[nodiscard]] std::optional<ServerEvent> next();
  /// The reconnection delay in milliseconds that the server asked for.
  [[nodiscard]] std::optional<int> retry_ms() const { return retry_ms_; }

 private:
  void take_line(std::string_view line);
  void dispatch();

  std::string line_;
  bool after_carriage_return_ = false;
  bool at_start_ = true;
  ServerEvent current_;
  bool has_data_ = false;
  std::optional<int> retry_ms_;
  std::deque<ServerEvent> ready_;
};

}  // namespace lathe::cli
