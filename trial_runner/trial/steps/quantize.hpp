// Quantizing: calibration on data, training with fake quantization, and the state that is saved.
#pragma once

#include "steps/compress.hpp"

namespace lathe::trial {

[[nodiscard]] Result<Compressed> quantize(const QuantizationPlan& plan, Workshop& workshop);

}  // namespace lathe::trial
