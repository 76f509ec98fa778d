#include "python_json.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace lathe::proto {
namespace {

using Json = nlohmann::ordered_json;

constexpr int max_nesting = 200;  ///< of a reported value; deeper ones would only exhaust a stack somewhere

/// The bare word that Python writes for a number that JSON has not, at the start of `text`; empty: none.
std::string_view bare_number(std::string_view text) {
  for (const std::string_view word :
       {std::string_view("NaN"), std::string_view("Infinity"), std::string_view("-Infinity")}) {
    if (text.starts_with(word)) return word;
  }
  return {};
}

/// `text` with NaN, Infinity and -Infinity outside of strings put into quotes; an error when it nests too deep.
Result<std::string> quote_bare_numbers(std::string_view text) {
  std::string quoted;
  quoted.reserve(text.size());
  bool in_string = false;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\' && i + 1 < text.size()) {
      quoted.append(text.substr(i++, 2));
      continue;
    }
    if (c == '"') in_string = !in_string;
    if (!in_string) {
      depth += (c == '[' || c == '{') ? 1 : (c == ']' || c == '}') ? -1 : 0;
      if (depth > max_nesting) return fail("the JSON nests deeper than " + std::to_string(max_nesting) + " levels");
      if (const std::string_view word = bare_number(text.substr(i)); !word.empty()) {
        quoted.append("\"").append(word).append("\"");
        i += word.size() - 1;
        continue;
      }
    }
    quoted += c;
  }
  return quoted;
}

std::string python_string(const std::string& text) {
  return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// repr() of a Python float: the shortest digits that read back, with an exponent below 1e-4 and from 1e16 on.
std::string python_float(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  const double magnitude = std::abs(number);
  const bool fixed = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(digits.data(), end.ptr);
  if (fixed && text.find('.') == std::string::npos) text += ".0";
  return text;
}

}  // namespace

Result<Json> parse_python_json(std::string_view text) {
  const Result<std::string> quoted = quote_bare_numbers(text);
  if (!quoted) return tl::unexpected<Error>(quoted.error());
  Json json = Json::parse(*quoted, nullptr, false);
  if (json.is_discarded()) return fail("\"" + std::string(text.substr(0, 80)) + "\" is not valid JSON");
  return json;
}

std::string python_json(const Json& value) {
  if (value.is_string()) return python_string(value.get_ref<const std::string&>());
  if (value.is_number_float()) return python_float(value.get<double>());
  if (!value.is_structured()) return value.dump();
  std::string text(1, value.is_object() ? '{' : '[');
  for (const auto& [key, item] : value.items()) {
    if (text.size() > 1) text += ", ";
    if (value.is_object()) text += python_string(key) + ": ";
    text += python_json(item);
  }
  return text + (value.is_object() ? '}' : ']');
}

}  // namespace lathe::proto
