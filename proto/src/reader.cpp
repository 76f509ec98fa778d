#include "reader.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;

std::string expected_integer(IntegerRange range) {
  const bool has_low = range.low != IntegerRange{}.low;
  const bool has_high = range.high != IntegerRange{}.high;
  if (has_low && has_high) return fmt::format("an integer from {} to {}", range.low, range.high);
  if (has_low) return fmt::format("an integer >= {}", range.low);
  if (has_high) return fmt::format("an integer <= {}", range.high);
  return "an integer";
}

std::string expected_number(NumberRange range) {
  std::string text = "a finite number";
  if (std::isfinite(range.low)) text += fmt::format(" {} {}", range.excludes_low ? ">" : ">=", range.low);
  if (std::isfinite(range.high)) {
    text +=
        fmt::format("{} {} {}", std::isfinite(range.low) ? " and" : "", range.excludes_high ? "<" : "<=", range.high);
  }
  return text;
}

/// Nullopt: not a number with an integral value inside 64 bits.
std::optional<std::int64_t> exact_integer(const ordered_json& json) {
  if (json.is_number_unsigned()) {
    const auto value = json.get<std::uint64_t>();
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return static_cast<std::int64_t>(value);
  }
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (!json.is_number_float()) return std::nullopt;
  constexpr double largest_exact = 9007199254740992.0;  // 2^53
  const double value = json.get<double>();
  if (!(std::abs(value) <= largest_exact) || std::trunc(value) != value) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

bool is_inside(double value, NumberRange range) {
  if (!std::isfinite(value)) return false;
  if (range.excludes_low ? value <= range.low : value < range.low) return false;
  return range.excludes_high ? value < range.high : value <= range.high;
}

}  // namespace

std::optional<std::int64_t> read_integer(const Value& value, IntegerRange range, Problems& problems) {
  const auto integer = exact_integer(value.json());
  if (integer && *integer >= range.low && *integer <= range.high) return integer;
  problems.add_mismatch(value, expected_integer(range));
  return std::nullopt;
}

std::optional<std::uint64_t> read_seed(const Value& value, Problems& problems) {
  if (value.json().is_number_unsigned()) return value.json().get<std::uint64_t>();
  const auto integer = exact_integer(value.json());
  if (integer && *integer >= 0) return static_cast<std::uint64_t>(*integer);
  problems.add_mismatch(value, "an integer from 0 to 18446744073709551615");
  return std::nullopt;
}

std::optional<double> read_number(const Value& value, NumberRange range, Problems& problems) {
  if (value.json().is_number()) {
    if (const double number = value.json().get<double>(); is_inside(number, range)) return number;
  }
  problems.add_mismatch(value, expected_number(range));
  return std::nullopt;
}

std::optional<bool> read_bool(const Value& value, Problems& problems) {
  if (value.json().is_boolean()) return value.json().get<bool>();
  problems.add_mismatch(value, "true or false");
  return std::nullopt;
}

std::optional<std::string> read_text(const Value& value, Problems& problems) {
  if (value.json().is_string()) {
    const auto& text = value.json().get_ref<const std::string&>();
    const bool is_blank = text.find_first_not_of(" \t\r\n") == std::string::npos;
    if (!is_blank && text.find('\0') == std::string::npos) return text;
  }
  problems.add_mismatch(value, "a text that is not empty");
  return std::nullopt;
}

std::optional<std::size_t> read_name(const Value& value, std::span<const std::string_view> names, Problems& problems) {
  if (!value.json().is_string()) {
    problems.add_mismatch(value, "one of " + listed(names));
    return std::nullopt;
  }
  const auto& text = value.json().get_ref<const std::string&>();
  const std::string wanted = normalized_key(text);
  const auto found =
      std::find_if(names.begin(), names.end(), [&](auto name) { return normalized_key(name) == wanted; });
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  problems.add_mismatch(value, "one of " + listed(names));
  return std::nullopt;
}

void require_finite(const Value& value, Problems& problems) {
  if (value.json().is_number_float() && !std::isfinite(value.json().get<double>())) {
    problems.add_mismatch(value, "a finite number");
  }
  for (const Value& item : value.items()) require_finite(item, problems);
  for (const Member& member : value.members()) require_finite(member.value, problems);
}

Fields::Fields(const Value& object, std::span<const std::string_view> known, Problems& problems)
    : object_(object), problems_(&problems), is_object_(object.json().is_object()) {
  if (!is_object_) {
    problems.add_mismatch(object, "an object with keys such as " + std::string(known.front()));
    return;
  }
  for (const std::string_view key : known) by_normalized_key_.emplace(normalized_key(key), key);
  for (const Member& member : object.members()) adopt(member, known);
}

void Fields::adopt(const Member& member, std::span<const std::string_view> known) {
  const auto row = by_normalized_key_.find(normalized_key(member.name));
  if (row == by_normalized_key_.end()) {
    const std::string meant = problems_->is_full() ? "" : suggestion(member.name, known);
    problems_->add(member.value, fmt::format("unknown key, with the value {}{}", describe(member.value.json()), meant));
    return;
  }
  const std::string_view key = row->second;
  const auto [field, is_new] = fields_.emplace(key, member.value.renamed(object_.path().member(key)));
  if (is_new) return;
  problems_->add(member.value,
                 field->second.line() > 0
                     ? fmt::format("duplicate key: means the same as the one on line {}", field->second.line())
                     : fmt::format("duplicate key: means the same as {}", key));
}

std::optional<Value> Fields::find_even_null(std::string_view key) const {
  const auto field = fields_.find(key);
  return field == fields_.end() ? std::nullopt : std::optional<Value>(field->second);
}

std::optional<Value> Fields::find(std::string_view key) const {
  auto value = find_even_null(key);
  return value && value->json().is_null() ? std::nullopt : value;
}

std::optional<Value> Fields::require(std::string_view key, std::string_view what) {
  auto value = find(key);
  if (!value && is_object_)
    problems_->add_missing(object_, object_.path().member(key), fmt::format("required: {}", what));
  return value;
}

}  // namespace lathe::proto
