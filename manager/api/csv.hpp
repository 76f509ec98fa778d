// Comma-separated values (RFC 4180) that a spreadsheet opens without running anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace lathe::manager {

/// Text as a cell: quoted where needed; text that a spreadsheet takes for a formula gets a leading apostrophe.
[[nodiscard]] std::string csv_text(std::string_view text);

/// A JSON value as a cell: numbers and truths bare, strings as csv_text, null empty, arrays and objects as their JSON.
[[nodiscard]] std::string csv_value(const nlohmann::ordered_json& value);

/// Cells, ready-made, as a line with its CRLF.
[[nodiscard]] std::string csv_line(const std::vector<std::string>& cells);

}  // namespace lathe::manager
