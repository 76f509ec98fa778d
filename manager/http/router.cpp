#include "http/router.hpp"

namespace lathe::manager {
namespace {

/// Cuts the next segment off a pattern such as `/a/{b}`.
std::string_view take_segment(std::string_view& pattern) {
  pattern.remove_prefix(1);
  const std::string_view segment = pattern.substr(0, pattern.find('/'));
  pattern.remove_prefix(segment.size());
  return segment;
}

bool is_placeholder(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

std::optional<NamedValues> match_path(std::string_view pattern, const std::vector<std::string>& segments) {
  NamedValues values;
  for (const std::string& segment : segments) {
    if (pattern.empty()) return std::nullopt;
    const std::string_view expected = take_segment(pattern);
    if (is_placeholder(expected)) {
      if (segment.empty()) return std::nullopt;
      values.emplace_back(expected.substr(1, expected.size() - 2), segment);
    } else if (expected != segment) {
      return std::nullopt;
    }
  }
  if (!pattern.empty()) return std::nullopt;
  return values;
}

}  // namespace lathe::manager
