// Where a page ended, as text that goes through a client and back: parts joined by ':'. Parsed with distrust.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/error.hpp"

namespace lathe::manager {

/// The parts of a cursor; nullopt when their number is not `parts`.
[[nodiscard]] std::optional<std::vector<std::string>> split_cursor(std::string_view cursor, std::size_t parts);

[[nodiscard]] std::optional<std::int64_t> cursor_integer(std::string_view part);
[[nodiscard]] std::optional<double> cursor_number(std::string_view part);

/// A finite number that cursor_number reads back exactly.
[[nodiscard]] std::string cursor_text(double number);

/// The answer to a cursor that no page ever had.
[[nodiscard]] tl::unexpected<StorageError> bad_cursor(std::string_view cursor);

}  // namespace lathe::manager
