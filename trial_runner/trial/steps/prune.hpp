// Pruning by a metric, at once or on a schedule, with fine-tuning under the masks.
#pragma once

#include "steps/compress.hpp"

namespace lathe::trial {

[[nodiscard]] Result<Compressed> prune(const PruningPlan& plan, Workshop& workshop);

}  // namespace lathe::trial
