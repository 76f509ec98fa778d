// The `data:` block of a compression config.
#pragma once

#include <lathe/proto/compression_config.hpp>

#include "path_resolver.hpp"
#include "problems.hpp"
#include "value.hpp"

namespace lathe::proto {

[[nodiscard]] DataConfig read_data(const Value& value, const PathResolver& paths, Problems& problems);
[[nodiscard]] nlohmann::ordered_json data_json(const DataConfig& data);

}  // namespace lathe::proto
