// YAML 1.2 by way of yaml-cpp's events, which have the line of everything and show duplicate keys.
#pragma once

#include <string_view>

#include "document.hpp"

namespace lathe::proto {

/// `text` is valid UTF-8 without control characters. Keys must be scalars; one document only.
[[nodiscard]] Result<Document> parse_yaml(std::string_view text, const DocumentLimits& limits);

}  // namespace lathe::proto
