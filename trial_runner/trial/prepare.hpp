// The preparation of an experiment: finds what would make every trial fail, and measures the original.
#pragma once

#include "environment.hpp"
#include "result.hpp"

namespace lathe::trial {

/// Checks model, data and search space, and leaves baseline.json where LATHE_BASELINE points, else in the output
/// folder.
[[nodiscard]] Result<void> prepare(const Environment& environment);

}  // namespace lathe::trial
