#include "output/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

namespace lathe::cli {
namespace {

/// One step through UTF-8 text. An ill-formed byte is a step of one byte and no code point.
struct Step {
  std::size_t bytes = 1;
  bool valid = false;
  bool cut_off = false;  ///< ill-formed only because the text ends inside the character
  char32_t code = 0;
};

struct Range {
  char32_t first;
  char32_t last;
};

constexpr std::array zero_width{Range{0x0300, 0x036f}, Range{0x0483, 0x0489}, Range{0x0591, 0x05bd},
                                Range{0x0610, 0x061a}, Range{0x064b, 0x065f}, Range{0x1ab0, 0x1aff},
                                Range{0x1dc0, 0x1dff}, Range{0x200b, 0x200d}, Range{0x20d0, 0x20ff},
                                Range{0xfe00, 0xfe0f}, Range{0xfe20, 0xfe2f}, Range{0xe0100, 0xe01ef}};

constexpr std::array double_width{
    Range{0x1100, 0x115f},   Range{0x2e80, 0x303e},   Range{0x3041, 0x33ff},   Range{0x3400, 0x4dbf},
    Range{0x4e00, 0x9fff},   Range{0xa000, 0xa4cf},   Range{0xa960, 0xa97f},   Range{0xac00, 0xd7a3},
    Range{0xf900, 0xfaff},   Range{0xfe30, 0xfe6f},   Range{0xff00, 0xff60},   Range{0xffe0, 0xffe6},
    Range{0x1f300, 0x1f64f}, Range{0x1f680, 0x1f6ff}, Range{0x1f900, 0x1f9ff}, Range{0x20000, 0x3fffd}};

// Characters that reorder or hide their neighbours, and line ends that terminals may honour.
constexpr std::array treacherous{Range{0x0000, 0x001f}, Range{0x007f, 0x009f}, Range{0x061c, 0x061c},
                                 Range{0x200e, 0x200f}, Range{0x2028, 0x202e}, Range{0x2066, 0x2069},
                                 Range{0xfeff, 0xfeff}, Range{0xfff9, 0xfffb}};

template <std::size_t size>
bool contains(const std::array<Range, size>& ranges, char32_t code) {
  return std::any_of(ranges.begin(), ranges.end(), [code](Range r) { return r.first <= code && code <= r.last; });
}

std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

bool is_well_formed(char32_t code, std::size_t length) {
  constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code >= smallest[length] && code <= 0x10ffff && !surrogate;
}

Step step_at(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = sequence_length(lead);
  if (length == 1) return {1, true, false, lead};
  if (length == 0) return {};
  char32_t code = lead & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (at + i == text.size()) return {1, false, true, 0};
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xc0) != 0x80) return {};
    code = (code << 6) | (next & 0x3fu);
  }
  if (!is_well_formed(code, length)) return {};
  return {length, true, false, code};
}

std::size_t width_of(const Step& step) {
  if (!step.valid) return 1;
  if (contains(zero_width, step.code)) return 0;
  return contains(double_width, step.code) ? 2 : 1;
}

void append_escaped(std::string& out, std::string_view text, std::size_t at, const Step& step, Keep keep) {
  if (!step.valid) {
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    return;
  }
  const bool kept = keep == Keep::LinesAndTabs && (step.code == '\n' || step.code == '\t');
  if (kept || !contains(treacherous, step.code)) {
    out += text.substr(at, step.bytes);
  } else if (step.code == '\n') {
    out += "\\n";
  } else if (step.code == '\t') {
    out += "\\t";
  } else if (step.code == '\r') {
    out += "\\r";
  } else {
    out += step.code < 0x80 ? fmt::format("\\x{:02x}", static_cast<std::uint32_t>(step.code))
                            : fmt::format("\\u{:04x}", static_cast<std::uint32_t>(step.code));
  }
}

}  // namespace

std::string escape(std::string_view text, Keep keep) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Step step = step_at(text, at);
    append_escaped(out, text, at, step, keep);
    at += step.bytes;
  }
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Step step = step_at(text, at);
    width += width_of(step);
    at += step.bytes;
  }
  return width;
}

std::string truncate(std::string_view text, std::size_t columns) {
  if (columns == 0) return {};
  std::size_t width = 0;
  std::size_t fits = 0;  // bytes that leave room for the ellipsis
  for (std::size_t at = 0; at < text.size();) {
    const Step step = step_at(text, at);
    width += width_of(step);
    if (width > columns) return std::string(text.substr(0, fits)) + "…";
    at += step.bytes;
    if (width < columns) fits = at;
  }
  return std::string(text);
}

std::string StreamEscaper::feed(std::string_view bytes) {
  pending_ += bytes;
  std::string out;
  std::size_t at = 0;
  while (at < pending_.size()) {
    const Step step = step_at(pending_, at);
    if (step.cut_off) break;
    append_escaped(out, pending_, at, step, Keep::LinesAndTabs);
    at += step.bytes;
  }
  pending_.erase(0, at);
  return out;
}

std::string StreamEscaper::finish() {
  return escape(std::exchange(pending_, {}), Keep::LinesAndTabs);
}

}  // namespace lathe::cli
