// NNI's first config format, turned into the second.
#pragma once

#include "document.hpp"
#include "problems.hpp"
#include "value.hpp"

namespace lathe::proto {

/// True for an object with NNI v1's telltale key, trainingServicePlatform.
[[nodiscard]] bool is_v1_config(const Value& root);

/// The same config with v2 keys, by NNI's own table, and with maxTrialDuration, which NNI loses. Values keep their
/// lines and the names of their v1 fields, so later errors speak of what the author wrote. Keys without a meaning in v2
/// are dropped with a warning; a `compression` block is kept.
[[nodiscard]] Document convert_v1(const Value& root, Problems& problems);

}  // namespace lathe::proto
