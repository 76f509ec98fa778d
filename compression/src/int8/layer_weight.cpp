#include "int8/layer_weight.hpp"

#include <limits>
#include <optional>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace lathe::compression {
namespace {

constexpr double kLeast = -128;
constexpr double kMost = 127;

/// Levels and what they are multiplied with, both double; one scale, or one a filter.
struct Levels {
  at::Tensor values;
  at::Tensor scale;
};

/// One number a filter, shaped to be multiplied with the weight.
at::Tensor by_filter(const at::Tensor& numbers, const at::Tensor& weight) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(weight.dim()), 1);
  shape[0] = -1;
  return numbers.numel() == 1 ? numbers : numbers.view(shape);
}

/// The levels that the simulation has, when `scale` renders all of them in int8.
std::optional<Levels> kept_levels(const at::Tensor& simulated, const at::Tensor& scale) {
  const at::Tensor values = (simulated.to(at::kDouble) / by_filter(scale, simulated)).round_();
  const bool fits = values.min().item<double>() >= kLeast && values.max().item<double>() <= kMost;
  if (!fits) return std::nullopt;
  return Levels{values, scale};
}

/// A new grid for each filter, or one for all, symmetric around 0.
Levels new_levels(const at::Tensor& weight, bool one_scale) {
  const at::Tensor rows = weight.to(at::kDouble).reshape({one_scale ? 1 : weight.size(0), -1});
  at::Tensor scale = rows.abs().amax(1) / kMost;
  scale = scale.masked_fill(scale.lt(static_cast<double>(std::numeric_limits<float>::min())), 1);
  return {(weight.to(at::kDouble) / by_filter(scale, weight)).round_().clamp_(kLeast, kMost), scale};
}

/// A factor of each filter moves into its scale, a sign into its levels.
Levels times(const Levels& levels, const at::Tensor& factor) {
  const at::Tensor off = factor.eq(0);
  at::Tensor scale = (levels.scale * factor.abs()).masked_fill_(off, 1);
  at::Tensor values = levels.values * by_filter(factor.sign(), levels.values);
  return {values.clamp_(kLeast, kMost), scale};
}

at::Tensor quantized(const Levels& levels) {
  const at::Tensor values = levels.values.to(at::kChar).contiguous();
  if (levels.scale.numel() == 1) {
    return at::_make_per_tensor_quantized_tensor(values, levels.scale.item<double>(), 0);
  }
  const at::Tensor zero_points = at::zeros({levels.scale.numel()}, at::kLong);
  return at::_make_per_channel_quantized_tensor(values, levels.scale.contiguous(), zero_points, 0);
}

Levels levels_of(const FrozenWeight& weight, const at::Tensor& simulated, const at::Tensor& factor, bool one_scale) {
  const TensorGrid& grid = *weight.grid;
  const bool folded = grid.batch_norm_folded && factor.defined();
  const at::Tensor master = factor.defined() ? weight.values * by_filter(factor, weight.values) : weight.values;
  const bool usable = grid.grid && (!grid.batch_norm_folded || factor.defined());
  if (!usable) return new_levels(master, one_scale);
  const at::Tensor scale = at::tensor(grid.grid->scale).to(at::kDouble);
  const auto kept = kept_levels(folded ? simulated * by_filter(factor, simulated) : simulated, scale);
  if (!kept) return new_levels(master, one_scale);
  return folded || !factor.defined() ? *kept : times(*kept, factor.to(at::kDouble));
}

}  // namespace

Result<LayerWeight> int8_weight(const FrozenWeight& weight, const at::Tensor& simulated, const at::Tensor& bias,
                                const BatchNormStatistics* batch_norm, bool one_scale) {
  const at::Tensor factor = batch_norm != nullptr ? batch_norm->factor() : at::Tensor();
  at::Tensor shifted = bias;
  if (batch_norm != nullptr) shifted = fold_batch_norm(weight.values, bias, *batch_norm).bias;
  const Levels levels = levels_of(weight, simulated, factor, one_scale);
  const auto finite = [](const at::Tensor& tensor) { return tensor.isfinite().all().item<bool>(); };
  if (!finite(levels.values) || !finite(levels.scale) || (shifted.defined() && !finite(shifted))) {
    return fail(
        fmt::format("the weight of layer `{}` is not finite once its batch normalisation is folded in", weight.layer));
  }
  return LayerWeight{quantized(levels), shifted.defined() ? shifted.to(at::kFloat).contiguous() : at::Tensor()};
}

}  // namespace lathe::compression
