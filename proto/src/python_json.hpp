// JSON as Python's json module reads and writes it: NaN, Infinity and -Infinity are numbers, and floats have repr()'s
// digits.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

namespace lathe::proto {

/// NaN and the infinities become strings of that name. Errors: not JSON, nested deeper than 200 levels.
[[nodiscard]] Result<nlohmann::ordered_json> parse_python_json(std::string_view text);

/// What json.dumps writes, separators and escapes included.
[[nodiscard]] std::string python_json(const nlohmann::ordered_json& value);

}  // namespace lathe::proto
