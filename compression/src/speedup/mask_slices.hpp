// Finds whole slices that a mask takes away.
#pragma once

#include <ATen/core/Tensor.h>

namespace lathe::compression {

/// True at each position of the axis where the mask is zero throughout. Stops at the first number that is not zero, so
/// masks of whole filters cost little however large they are.
[[nodiscard]] at::Tensor zero_slices(const at::Tensor& mask, std::int64_t axis);

}  // namespace lathe::compression
