#include "storage/cursor.hpp"

#include <charconv>

#include <fmt/format.h>

namespace lathe::manager {

namespace {

template <class Number>
std::optional<Number> parse_whole(std::string_view part) {
  Number number{};
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
  if (error != std::errc{} || end != part.data() + part.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::vector<std::string>> split_cursor(std::string_view cursor, std::size_t parts) {
  std::vector<std::string> found(1);
  for (const char c : cursor) {
    if (c == ':')
      found.emplace_back();
    else
      found.back() += c;
  }
  if (found.size() != parts) return std::nullopt;
  return found;
}

std::optional<std::int64_t> cursor_integer(std::string_view part) {
  return parse_whole<std::int64_t>(part);
}

std::optional<double> cursor_number(std::string_view part) {
  return parse_whole<double>(part);
}

std::string cursor_text(double number) {
  return fmt::format("{}", number);
}

tl::unexpected<StorageError> bad_cursor(std::string_view cursor) {
  return tl::unexpected(
      StorageError{StorageError::Kind::Invalid,
                   fmt::format("'{}' is not a cursor of this list; expected the nextCursor of the page "
                               "before, with the same filters and order",
                               cursor.substr(0, 100)),
                   "cursor"});
}

}  // namespace lathe::manager
