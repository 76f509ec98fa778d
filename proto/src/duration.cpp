// Durations as NNI writes them. Declared with the experiment config, whose words they are.
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <lathe/proto/experiment_config.hpp>

#include "value.hpp"

namespace lathe::proto {
namespace {

/// A hundred years: longer than any experiment, and safe to add to a clock in nanoseconds.
constexpr std::int64_t longest_seconds = std::int64_t{36'500} * 86'400;

constexpr std::string_view expectation = "a number with unit d, h, m or s such as \"1.5h\", or an integer of seconds";

std::optional<double> seconds_of_unit(char unit) {
  switch (unit) {
    case 'd':
    case 'D':
      return 86'400;
    case 'h':
    case 'H':
      return 3'600;
    case 'm':
    case 'M':
      return 60;
    case 's':
    case 'S':
      return 1;
    default:
      return std::nullopt;
  }
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// Whole seconds, rounded up; nullopt: the text is no duration. The value may still be out of range.
std::optional<double> seconds_in(std::string_view text) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  const auto unit = seconds_of_unit(text.back());
  const std::string_view number = trimmed(text.substr(0, text.size() - 1));
  if (!unit || number.empty() || number.find_first_not_of("0123456789.eE+-") != std::string_view::npos)
    return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
  return std::ceil(value * *unit);
}

std::optional<double> seconds_in(const nlohmann::ordered_json& value) {
  if (value.is_string()) return seconds_in(std::string_view(value.get_ref<const std::string&>()));
  if (value.is_number_integer()) return value.get<double>();
  return std::nullopt;
}

}  // namespace

Result<std::chrono::seconds> parse_duration(const nlohmann::ordered_json& value) {
  const auto seconds = seconds_in(value);
  if (!seconds) return fail(fmt::format("expected {}, found {}", expectation, describe(value)));
  if (!(*seconds > 0)) return fail(fmt::format("expected a duration longer than 0, found {}", describe(value)));
  if (*seconds > static_cast<double>(longest_seconds)) {
    return fail(fmt::format("expected a duration of at most 36500d, found {}", describe(value)));
  }
  return std::chrono::seconds(static_cast<std::int64_t>(*seconds));
}

std::string to_string(std::chrono::seconds duration) {
  return fmt::format("{}s", duration.count());
}

}  // namespace lathe::proto
