#include "quantization/by_operators.hpp"

#include <limits>

#include <ATen/ATen.h>

#include "quantization/kernels.hpp"

namespace lathe::compression::by_operators {
namespace {

/// One number for each channel, shaped to meet the tensor; of `type`, because a number that is not a tensor would be
/// multiplied by as its reciprocal on some devices.
template <class T>
at::Tensor for_channels(const std::vector<T>& numbers, const at::Tensor& tensor, std::int64_t axis,
                        at::ScalarType type) {
  const at::Tensor all = at::tensor(numbers, at::TensorOptions().dtype(type)).to(tensor.device());
  if (numbers.size() == 1) return all;
  std::vector<std::int64_t> shape(static_cast<std::size_t>(tensor.dim()), 1);
  shape[static_cast<std::size_t>(axis)] = -1;
  return all.view(shape);
}

at::Tensor number(double value, const at::Tensor& tensor) {
  return at::full({}, value, tensor.options());
}

}  // namespace

Quantized quantize(const at::Tensor& tensor, const QuantGrid& grid) {
  const bool fits_float = grid.levels.max - grid.levels.min < kernels::kFloatLevels;
  const auto type = fits_float ? at::kFloat : at::kDouble;
  const at::Tensor scale = for_channels(grid.scale, tensor, grid.axis, type);
  const at::Tensor zero_point = for_channels(grid.zero_point, tensor, grid.axis, type);
  const at::Tensor level = tensor.detach().to(type).div(scale).add_(zero_point).round_();
  const at::Tensor pass = level.ge(grid.levels.min).logical_and_(level.le(grid.levels.max)).to(at::kByte);
  const at::Tensor values = level.clamp(grid.levels.min, grid.levels.max).sub_(zero_point).mul_(scale);
  return {values.to(at::kFloat), pass};
}

std::vector<ValueRange> ranges(const at::Tensor& tensor, std::optional<std::int64_t> axis) {
  const at::Tensor rows =
      axis ? tensor.detach().movedim(*axis, 0).reshape({tensor.size(*axis), -1}) : tensor.detach().reshape({1, -1});
  std::vector<ValueRange> found(static_cast<std::size_t>(rows.size(0)));
  if (rows.numel() == 0) return found;
  const at::Tensor min = rows.amin(1).cpu();
  const at::Tensor max = rows.amax(1).cpu();
  const at::Tensor finite = rows.isfinite().all(1).cpu();
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    found[i] =
        finite[at].item<bool>() ? ValueRange{min[at].item<float>(), max[at].item<float>()} : ValueRange{nan, nan};
  }
  return found;
}

LearntScaleGradients learnt_scale_backward(const at::Tensor& tensor, const at::Tensor& gradient, float scale,
                                           const QuantLevels& levels) {
  const at::Tensor v = tensor.detach().div(number(scale, tensor));
  const at::Tensor inside = v.ge(levels.min).logical_and_(v.le(levels.max));
  const at::Tensor clamped = v.clamp(levels.min, levels.max);
  const at::Tensor level = clamped.round();
  const at::Tensor terms = gradient.mul(at::where(inside, level.sub(clamped), level));
  return {gradient.mul(inside), terms.sum(at::kDouble).item<double>()};
}

}  // namespace lathe::compression::by_operators
