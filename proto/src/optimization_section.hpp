// What `finetuning:` and `sparsifying:` have in common: optimizer, batch size, learning-rate schedule, clipping.
#pragma once

#include <lathe/proto/compression_config.hpp>

#include "problems.hpp"
#include "reader.hpp"

namespace lathe::proto {

/// Reads what is there into `config`, which holds what absent keys mean. Arguments of another optimizer than the one
/// that is meant do not stay.
void read_optimization(Fields& fields, OptimizationConfig& config, Problems& problems);

/// Appends all of it to `json`.
void write_optimization(const OptimizationConfig& config, nlohmann::ordered_json& json);

}  // namespace lathe::proto
