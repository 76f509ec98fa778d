// JSON as people write it: RFC 8259, with trailing commas and comments (//, #, /* */) forgiven.
#pragma once

#include <optional>
#include <string_view>

#include "document.hpp"

namespace lathe::proto {

struct JsonOutcome {
  std::optional<Document> document;
  Error error;                   ///< set when there is no document
  bool is_syntax_error = false;  ///< not JSON; false: it is, but breaks a limit or repeats a key
};

/// `text` is valid UTF-8 without a byte order mark.
[[nodiscard]] JsonOutcome parse_json(std::string_view text, const DocumentLimits& limits);

}  // namespace lathe::proto
