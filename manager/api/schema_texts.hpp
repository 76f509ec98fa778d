// The JSON Schemas of proto/schema, compiled in.
#pragma once

#include <string_view>

namespace lathe::manager {

[[nodiscard]] std::string_view experiment_schema_text();
[[nodiscard]] std::string_view search_space_schema_text();

}  // namespace lathe::manager
