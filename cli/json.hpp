// Reading the daemon's JSON without trusting its shape: what is missing or of another type reads as absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace lathe::cli {

using Json = nlohmann::ordered_json;

/// Member `key` of an object; a null when there is none.
[[nodiscard]] const Json& member(const Json& object, std::string_view key);

/// A string member; empty when absent.
[[nodiscard]] std::string text_of(const Json& object, std::string_view key);

/// A finite number member.
[[nodiscard]] std::optional<double> number_of(const Json& object, std::string_view key);

/// An integer member.
[[nodiscard]] std::optional<std::int64_t> integer_of(const Json& object, std::string_view key);

/// Compact JSON text; ill-formed UTF-8 is replaced instead of thrown at.
[[nodiscard]] std::string dump(const Json& json, int indent = -1);

}  // namespace lathe::cli
