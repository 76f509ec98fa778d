// Whether the options of a training make sense.
#pragma once

#include <lathe/compression/trainer.hpp>

namespace lathe::compression {

/// Errors name the option that is out of range, contradicts another, or needs a hook that is not there.
[[nodiscard]] Result<void> check_options(const TrainingOptions& options, const TrainingHooks& hooks);

}  // namespace lathe::compression
