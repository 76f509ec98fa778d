#include "http/sse.hpp"

#include <charconv>
#include <utility>

namespace lathe::cli {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::optional<int> parse_digits(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value >= 0 ? std::optional(value) : std::nullopt;
}

}  // namespace

void SseParser::feed(std::string_view bytes) {
  for (const char byte : bytes) {
    const bool second_half_of_crlf = after_carriage_return_ && byte == '\n';
    after_carriage_return_ = byte == '\r';
    if (second_half_of_crlf) continue;
    if (byte == '\n' || byte == '\r') {
      take_line(line_);
      line_.clear();
    } else {
      line_ += byte;
    }
  }
}

void SseParser::take_line(std::string_view line) {
  if (std::exchange(at_start_, false) && line.substr(0, byte_order_mark.size()) == byte_order_mark) {
    line.remove_prefix(byte_order_mark.size());
  }
  if (line.empty()) return dispatch();
  const auto colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (field == "data") {
    if (std::exchange(has_data_, true)) current_.data += '\n';
    current_.data += value;
  } else if (field == "event") {
    current_.kind = value;
  } else if (field == "id" && value.find('\0') == std::string_view::npos) {
    current_.id = value;
  } else if (field == "retry") {
    if (const auto delay = parse_digits(value)) retry_ms_ = delay;
  }
}

void SseParser::dispatch() {
  ServerEvent event = std::exchange(current_, {});
  current_.id = event.id;
  if (!std::exchange(has_data_, false)) return;
  if (event.kind.empty()) event.kind = "message";
  ready_.push_back(std::move(event));
}

std::optional<ServerEvent> SseParser::next() {
  if (ready_.empty()) return std::nullopt;
  ServerEvent event = std::move(ready_.front());
  ready_.pop_front();
  return event;
}

}  // namespace lathe::cli
