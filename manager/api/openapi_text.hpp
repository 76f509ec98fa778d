// proto/openapi.yaml, compiled in.
#pragma once

#include <string_view>

namespace lathe::manager {

[[nodiscard]] std::string_view openapi_text();

}  // namespace lathe::manager
