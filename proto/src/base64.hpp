// Bytes as text (RFC 4648, section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lathe::proto {

[[nodiscard]] std::string to_base64(std::string_view bytes);

/// None: it is not Base64, with its padding and nothing else.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace lathe::proto
