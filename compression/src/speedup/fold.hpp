// What removed channels, which were constants, added to the outputs of the layers that read them.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "speedup/plan.hpp"

namespace lathe::compression {

/// One number an output, double, in the order of the weight's axis for them: the sum over the removed channels of the
/// constant and the weights that read it. `rows` are the outputs that it is wanted of; nullptr: all. Others may be 0.
[[nodiscard]] at::Tensor folded_constants(const Fold& fold, const at::Tensor& weight,
                                          const std::vector<std::int64_t>* rows);

}  // namespace lathe::compression
