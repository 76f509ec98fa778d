// One trial: compress, fine-tune, evaluate, speed up, measure, report.
#pragma once

#include "environment.hpp"
#include "result.hpp"
#include "setup.hpp"

namespace lathe::trial {

/// Reads parameter.cfg; leaves compressed.pt and report.json in the output folder and the metrics in .nni/metrics.
[[nodiscard]] Result<void> run_trial(const Environment& environment);

/// The same with model and data that are loaded already; the environment's compression_config is not read.
[[nodiscard]] Result<void> run_trial(const Environment& environment, Setup setup);

}  // namespace lathe::trial
