// Iterative pruning: a search or a training for masks, then fine-tuning under them.
#pragma once

#include "steps/compress.hpp"

namespace lathe::trial {

[[nodiscard]] Result<Compressed> iterate(const IterativePlan& plan, Workshop& workshop);

}  // namespace lathe::trial
