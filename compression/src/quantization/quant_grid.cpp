#include <lathe/compression/quant_grid.hpp>

#include <algorithm>
#include <cmath>

#include "quantization/kernels.hpp"

namespace lathe::compression {
namespace {

constexpr int kFloatBits = 24;

float usable(float scale) {
  return scale > 0 ? scale : 1.0F;
}

float symmetric_scale(float min, float max, const QuantLevels& levels) {
  const float half = static_cast<float>(static_cast<double>(levels.max - levels.min) / 2);
  return usable(std::max(-min, max) / half);
}

float affine_scale(float min, float max, const QuantLevels& levels) {
  const auto steps = static_cast<float>(levels.max - levels.min);
  const float scale = (max - min) / steps;
  return usable(std::isfinite(scale) ? scale : max / steps - min / steps);
}

/// Up to 24 bits in float32, as NNI does it.
std::int64_t affine_zero_point(float min, float scale, const QuantLevels& levels, int bits) {
  const double steps = bits <= kFloatBits ? static_cast<double>(std::rint(min / scale))
                                          : std::rint(static_cast<double>(min) / static_cast<double>(scale));
  const double zero_point = static_cast<double>(levels.min) - steps;
  return static_cast<std::int64_t>(
      std::clamp(zero_point, static_cast<double>(levels.min), static_cast<double>(levels.max)));
}

bool symmetric(QuantScheme scheme) {
  return scheme == QuantScheme::PerTensorSymmetric || scheme == QuantScheme::PerChannelSymmetric;
}

}  // namespace

QuantLevels quant_levels(int bits, QuantDtype dtype) {
  const std::int64_t count = std::int64_t{1} << bits;
  if (dtype == QuantDtype::Uint) return {0, count - 1};
  return {-count / 2 + 1, count / 2 - 1};
}

bool per_channel(QuantScheme scheme) {
  return scheme == QuantScheme::PerChannelAffine || scheme == QuantScheme::PerChannelSymmetric;
}

QuantGrid quant_grid(const std::vector<ValueRange>& ranges, const QuantSpec& spec, std::int64_t axis) {
  QuantGrid grid;
  grid.levels = quant_levels(spec.bits, spec.dtype);
  grid.axis = axis;
  for (const ValueRange& range : ranges) {
    const float min = std::min(range.min, 0.0F);
    const float max = std::max(range.max, 0.0F);
    if (symmetric(spec.scheme)) {
      grid.scale.push_back(symmetric_scale(min, max, grid.levels));
      grid.zero_point.push_back(spec.dtype == QuantDtype::Int ? 0 : (grid.levels.min + grid.levels.max) / 2);
    } else {
      grid.scale.push_back(affine_scale(min, max, grid.levels));
      grid.zero_point.push_back(affine_zero_point(min, grid.scale.back(), grid.levels, spec.bits));
    }
  }
  return grid;
}

}  // namespace lathe::compression
