// The `finetuning:` and `sparsifying:` blocks of a compression config.
#pragma once

#include <lathe/proto/compression_config.hpp>

#include "problems.hpp"
#include "value.hpp"

namespace lathe::proto {

[[nodiscard]] FinetuningConfig read_finetuning(const Value& value, Problems& problems);
[[nodiscard]] nlohmann::ordered_json finetuning_json(const FinetuningConfig& config);

/// Keys that are absent mean what sparsifying_of gives for `config`, whose fine-tuning has been read.
[[nodiscard]] SparsifyingConfig read_sparsifying(const Value& value, const CompressionConfig& config,
                                                 Problems& problems);
[[nodiscard]] nlohmann::ordered_json sparsifying_json(const SparsifyingConfig& config);

}  // namespace lathe::proto
