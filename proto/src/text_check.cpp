#include "text_check.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace lathe::proto {
namespace {

/// One row of Unicode's table of well-formed sequences: the lead byte's range, the second byte's range, the length.
struct Utf8Form {
  unsigned char lead_low, lead_high, second_low, second_high;
  std::size_t length;
};

constexpr std::array utf8_forms{
    Utf8Form{0x00, 0x7F, 0x80, 0xBF, 1}, Utf8Form{0xC2, 0xDF, 0x80, 0xBF, 2}, Utf8Form{0xE0, 0xE0, 0xA0, 0xBF, 3},
    Utf8Form{0xE1, 0xEC, 0x80, 0xBF, 3}, Utf8Form{0xED, 0xED, 0x80, 0x9F, 3}, Utf8Form{0xEE, 0xEF, 0x80, 0xBF, 3},
    Utf8Form{0xF0, 0xF0, 0x90, 0xBF, 4}, Utf8Form{0xF1, 0xF3, 0x80, 0xBF, 4}, Utf8Form{0xF4, 0xF4, 0x80, 0x8F, 4},
};

/// Length of the well-formed sequence at the start of `text`; 0: there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (const Utf8Form& form : utf8_forms) {
    if (byte(0) < form.lead_low || byte(0) > form.lead_high) continue;
    if (text.size() < form.length) return 0;
    if (form.length > 1 && (byte(1) < form.second_low || byte(1) > form.second_high)) return 0;
    for (std::size_t i = 2; i < form.length; ++i) {
      if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
    }
    return form.length;
  }
  return 0;
}

bool is_forbidden_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = sequence_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

int line_of(std::string_view text, std::size_t offset) {
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + std::min(offset, text.size()), '\n'));
}

std::optional<Error> check_text(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    return Error{fmt::format("too large: {} bytes, at most {} are read", text.size(), max_bytes), {}, {}, 0};
  }
  if (const std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    const int byte = static_cast<unsigned char>(text[bad]);
    return Error{
        fmt::format("byte 0x{:02X} is not valid UTF-8; expected text in UTF-8", byte), {}, {}, line_of(text, bad)};
  }
  const auto control = std::find_if(text.begin(), text.end(), is_forbidden_control);
  if (control == text.end()) return std::nullopt;
  const auto offset = static_cast<std::size_t>(control - text.begin());
  return Error{fmt::format("control character U+{:04X} found; expected plain text", static_cast<unsigned>(*control)),
               {},
               {},
               line_of(text, offset)};
}

}  // namespace lathe::proto
