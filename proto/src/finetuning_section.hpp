// The `finetuning:` block of a compression config.
#pragma once

#include <lathe/proto/compression_config.hpp>

#include "problems.hpp"
#include "value.hpp"

namespace lathe::proto {

[[nodiscard]] FinetuningConfig read_finetuning(const Value& value, Problems& problems);
[[nodiscard]] nlohmann::ordered_json finetuning_json(const FinetuningConfig& config);

}  // namespace lathe::proto
