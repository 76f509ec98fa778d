// Text that people write (YAML or JSON) as one JSON value that remembers where each of its parts stood.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

namespace lathe::proto {

/// Where a JSON value came from; a tree of the same shape as the value.
struct Origin {
  int line = 0;                  ///< 1-based; 0: unknown
  std::string moved_from;        ///< field path in the author's text when the value was moved (v1 files), else empty
  std::vector<Origin> children;  ///< one per member or item, in their order
};

/// A parsed text. Objects keep the order in which their keys were written.
struct Document {
  nlohmann::ordered_json root;
  Origin origin;
};

/// What a text may cost us at most. Anything beyond is an error, so that no input can exhaust stack or memory.
struct DocumentLimits {
  std::size_t bytes = std::size_t{2} << 20;  ///< of the text, and of all keys and texts after aliases were expanded
  std::size_t nodes = 200'000;               ///< after aliases were expanded
  std::size_t depth = 64;                    ///< lists and objects inside each other
  std::size_t key_bytes = 1024;
};

/// Parses one YAML document with the types of the YAML 1.2 core schema, or JSON with trailing commas and comments
/// forgiven. A text that starts with `{` or `[` is read as JSON first. Duplicate keys are an error. The error has a
/// line.
[[nodiscard]] Result<Document> parse_document(std::string_view text, const DocumentLimits& limits = {});

/// Adds a member without looking for its name, which the caller knows to be new: ordered_json searches all of them.
void append_member(nlohmann::ordered_json& object, std::string name, nlohmann::ordered_json value);

/// True when lists and objects are nested at most `depth` deep; for JSON that did not come from parse_document.
[[nodiscard]] bool is_within_depth(const nlohmann::ordered_json& json, std::size_t depth = DocumentLimits{}.depth);

}  // namespace lathe::proto
