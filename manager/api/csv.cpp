#include "api/csv.hpp"

namespace lathe::manager {

std::string csv_text(std::string_view text) {
  constexpr std::string_view formula_starts = "=+-@\t\r";
  std::string cell;
  if (!text.empty() && formula_starts.find(text.front()) != formula_starts.npos) cell = "'";
  cell += text;
  if (cell.find_first_of(",\"\r\n") == cell.npos) return cell;
  std::string quoted = "\"";
  for (const char character : cell) {
    if (character == '"') quoted += '"';
    quoted += character;
  }
  return quoted + '"';
}

std::string csv_value(const nlohmann::ordered_json& value) {
  using nlohmann::ordered_json;
  if (value.is_null()) return {};
  if (value.is_string()) return csv_text(value.get_ref<const std::string&>());
  const std::string text = value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  return value.is_structured() ? csv_text(text) : text;
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) line += ',';
    line += cell;
  }
  return line + "\r\n";
}

}  // namespace lathe::manager
