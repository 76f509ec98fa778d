// JSON in columns. Null is stored as empty text.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace lathe::manager {

/// Bytes that are not UTF-8 are replaced, so that storing never fails.
[[nodiscard]] inline std::string json_text(const nlohmann::ordered_json& json) {
  return json.is_null() ? std::string() : json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// Text that is no JSON gives null: a row that somebody edited by hand does not bring the daemon down.
[[nodiscard]] inline nlohmann::ordered_json json_from(std::string_view text) {
  if (text.empty()) return nullptr;
  auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  return json.is_discarded() ? nlohmann::ordered_json(nullptr) : json;
}

}  // namespace lathe::manager
