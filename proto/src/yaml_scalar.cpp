#include "yaml_scalar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 5> nulls{"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 3> trues{"true", "True", "TRUE"};
constexpr std::array<std::string_view, 3> falses{"false", "False", "FALSE"};
constexpr std::array<std::string_view, 3> infinities{".inf", ".Inf", ".INF"};
constexpr std::array<std::string_view, 3> nans{".nan", ".NaN", ".NAN"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view without_sign(std::string_view text) {
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) text.remove_prefix(1);
  return text;
}

template <class Integer>
std::optional<Integer> integer_from(std::string_view digits, int base) {
  Integer value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// `text` has the shape of a decimal number; a magnitude beyond double becomes infinity or zero.
double float_from(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string_view magnitude = without_sign(text);
  double value = 0;
  const auto parsed = std::from_chars(magnitude.data(), magnitude.data() + magnitude.size(), value);
  if (parsed.ec == std::errc::result_out_of_range) {
    const bool is_tiny =
        magnitude.find("e-") != std::string_view::npos || magnitude.find("E-") != std::string_view::npos;
    value = is_tiny ? 0 : std::numeric_limits<double>::infinity();
  }
  return negative ? -value : value;
}

std::optional<ordered_json> decimal_integer(std::string_view text) {
  const std::string_view digits = without_sign(text);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  if (text.starts_with('-')) {
    if (const auto value = integer_from<std::int64_t>(text, 10)) return ordered_json(*value);
  } else if (const auto value = integer_from<std::uint64_t>(digits, 10)) {
    return ordered_json(*value);
  }
  return ordered_json(float_from(text));
}

std::optional<ordered_json> prefixed_integer(std::string_view text) {
  const int base = text.starts_with("0o") ? 8 : text.starts_with("0x") ? 16 : 0;
  if (base == 0 || text.size() == 2) return std::nullopt;
  const auto value = integer_from<std::uint64_t>(text.substr(2), base);
  return value ? std::optional<ordered_json>(*value) : std::nullopt;
}

/// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool has_float_shape(std::string_view text) {
  std::string_view rest = without_sign(text);
  const auto take_digits = [&rest] {
    const auto end = std::find_if_not(rest.begin(), rest.end(), is_digit);
    const auto count = static_cast<std::size_t>(end - rest.begin());
    rest.remove_prefix(count);
    return count;
  };
  const std::size_t whole = take_digits();
  std::size_t fraction = 0;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = take_digits();
  }
  if (whole + fraction == 0) return false;
  if (rest.empty()) return true;
  if (rest.front() != 'e' && rest.front() != 'E') return false;
  rest = without_sign(rest.substr(1));
  return take_digits() > 0 && rest.empty();
}

std::optional<ordered_json> float_value(std::string_view text) {
  if (is_one_of(text, nans)) return ordered_json(std::numeric_limits<double>::quiet_NaN());
  if (is_one_of(without_sign(text), infinities)) {
    const double infinity = std::numeric_limits<double>::infinity();
    return ordered_json(text.starts_with('-') ? -infinity : infinity);
  }
  if (!has_float_shape(text)) return std::nullopt;
  return ordered_json(float_from(text));
}

std::optional<ordered_json> integer_value(std::string_view text) {
  if (auto value = decimal_integer(text)) return value;
  return prefixed_integer(text);
}

std::optional<ordered_json> bool_value(std::string_view text) {
  if (is_one_of(text, trues)) return ordered_json(true);
  if (is_one_of(text, falses)) return ordered_json(false);
  return std::nullopt;
}

std::optional<ordered_json> null_value(std::string_view text) {
  return is_one_of(text, nulls) ? std::optional<ordered_json>(ordered_json(nullptr)) : std::nullopt;
}

struct TagRule {
  std::string_view tag;
  std::optional<ordered_json> (*read)(std::string_view text);
};

constexpr std::array tag_rules{
    TagRule{"tag:yaml.org,2002:null", null_value},
    TagRule{"tag:yaml.org,2002:bool", bool_value},
    TagRule{"tag:yaml.org,2002:int", integer_value},
    TagRule{"tag:yaml.org,2002:float", float_value},
};

}  // namespace

ordered_json core_schema_value(const std::string& text) {
  for (const auto& read : {null_value, bool_value, integer_value, float_value}) {
    if (auto value = read(text)) return *std::move(value);
  }
  return text;
}

std::optional<ordered_json> tagged_value(std::string_view tag, const std::string& text) {
  if (tag == "tag:yaml.org,2002:str") return ordered_json(text);
  const auto rule =
      std::find_if(tag_rules.begin(), tag_rules.end(), [&](const TagRule& row) { return row.tag == tag; });
  return rule == tag_rules.end() ? std::nullopt : rule->read(text);
}

}  // namespace lathe::proto
