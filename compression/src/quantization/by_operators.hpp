// Fake quantization by LibTorch's operators, for tensors of other devices than the CPU. The same numbers as those of
// the kernels, but for the order of sums.
#pragma once

#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include <lathe/compression/quant_grid.hpp>

namespace lathe::compression::by_operators {

struct Quantized {
  at::Tensor values;
  at::Tensor pass;  ///< of bytes: 1 where the gradient passes, else 0
};

/// `grid.axis` fits the tensor.
[[nodiscard]] Quantized quantize(const at::Tensor& tensor, const QuantGrid& grid);

/// See value_ranges.
[[nodiscard]] std::vector<ValueRange> ranges(const at::Tensor& tensor, std::optional<std::int64_t> axis);

struct LearntScaleGradients {
  at::Tensor tensor;
  double scale = 0;  ///< before it is damped
};

/// See kernels::learnt_scale_backward.
[[nodiscard]] LearntScaleGradients learnt_scale_backward(const at::Tensor& tensor, const at::Tensor& gradient,
                                                         float scale, const QuantLevels& levels);

}  // namespace lathe::compression::by_operators
