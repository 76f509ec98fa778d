// Types of plain YAML scalars.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace lathe::proto {

/// The value of a plain (unquoted) scalar by the core schema of YAML 1.2 (section 10.3.2): null, booleans, decimal,
/// 0o octal and 0x hexadecimal integers, floats, .inf and .nan; anything else is text. Integers beyond 64 bits become
/// floats.
[[nodiscard]] nlohmann::ordered_json core_schema_value(const std::string& text);

/// The value of a scalar under an explicit tag such as `!!float`; nullopt when the tag is unknown or the text does not
/// fit.
[[nodiscard]] std::optional<nlohmann::ordered_json> tagged_value(std::string_view tag, const std::string& text);

}  // namespace lathe::proto
