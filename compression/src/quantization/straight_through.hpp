// Any value in a tensor's place, with a gradient of our choice.
#pragma once

#include <ATen/core/Tensor.h>

namespace lathe::compression {

struct Replacement {
  at::Tensor value;   ///< same shape, no gradient of its own
  at::Tensor factor;  ///< of the gradient; undefined: it passes as it is
};

/// Gives `replacement.value`; the gradient of `tensor` is that of the result times the factor.
[[nodiscard]] at::Tensor straight_through(const at::Tensor& tensor, const Replacement& replacement);

}  // namespace lathe::compression
