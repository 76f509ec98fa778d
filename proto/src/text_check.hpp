// The first look at a text from outside: is it text at all?
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <lathe/proto/result.hpp>

namespace lathe::proto {

/// The reason why `text` cannot be read: larger than `max_bytes`, not UTF-8, or with control characters other than
/// tab, line feed and carriage return (yaml-cpp would take one of them for the end of the file).
[[nodiscard]] std::optional<Error> check_text(std::string_view text, std::size_t max_bytes);

/// Offset of the first byte that is not part of well-formed UTF-8 (Unicode 15, table 3-7); npos: all is well.
[[nodiscard]] std::size_t find_invalid_utf8(std::string_view text);

/// 1-based line of the byte at `offset`.
[[nodiscard]] int line_of(std::string_view text, std::size_t offset);

}  // namespace lathe::proto
