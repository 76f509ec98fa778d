#include "api/query_values.hpp"

#include <algorithm>
#include <charconv>

namespace lathe::manager {

tl::unexpected<proto::Error> unexpected_value(std::string_view name, std::string_view value,
                                              std::string_view expected) {
  return proto::fail(fmt::format("'{}' is not {}", value, expected), std::string(name));
}

proto::Result<bool> check_names(const NamedValues& query, ParameterNames known) {
  for (const auto& [name, value] : query) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (known.size() == 0) return proto::fail("this path takes no query parameters", name);
    return proto::fail(fmt::format("there is no such query parameter; there are: {}", fmt::join(known, ", ")), name);
  }
  return true;
}

proto::Result<std::optional<std::int64_t>> parse_integer(const NamedValues& query, std::string_view name,
                                                         std::int64_t low, std::int64_t high) {
  const auto text = find_value(query, name);
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < low || value > high) {
    return unexpected_value(name, *text, fmt::format("an integer from {} to {}", low, high));
  }
  return value;
}

std::vector<std::string_view> split_list(std::string_view list) {
  std::vector<std::string_view> words;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    words.push_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return words;
}

}  // namespace lathe::manager
