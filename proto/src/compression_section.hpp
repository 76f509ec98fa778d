// The `compression:` block.
#pragma once

#include <lathe/proto/compression_config.hpp>

#include "path_resolver.hpp"
#include "problems.hpp"
#include "value.hpp"

namespace lathe::proto {

[[nodiscard]] CompressionConfig read_compression(const Value& value, const PathResolver& paths, Problems& problems);

}  // namespace lathe::proto
