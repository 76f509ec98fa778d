// Uniform quantization simulated in float32: from the range of a tensor to a grid of levels, and a tensor onto it.
//
// Numbers are those of NNI's QAT_Quantizer (Jacob et al., "Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference", 2018, arXiv 1712.05877), to the last bit up to 24 bits: the level of x is
// x/scale + zero_point in float32, rounded half to even and clamped. A float32 holds 24 significant bits, so wider
// grids are computed in double, and what comes out is the float32 next to the level.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include <lathe/compression/quant_config.hpp>

namespace lathe::compression {

/// The integers that stand for values, both ends included.
struct QuantLevels {
  std::int64_t min = 0;
  std::int64_t max = 0;

  friend bool operator==(const QuantLevels&, const QuantLevels&) = default;
};

/// See QuantDtype. 0 < bits < 32.
[[nodiscard]] QuantLevels quant_levels(int bits, QuantDtype dtype);

/// Least and greatest value; NaN in both when some value was not finite, 0 in both when there was none.
struct ValueRange {
  float min = 0;
  float max = 0;

  friend bool operator==(const ValueRange&, const ValueRange&) = default;
};

/// value = (level - zero_point) * scale, for one channel or for all of a tensor.
struct QuantGrid {
  std::vector<float> scale;              ///< > 0 and finite; one entry, or one for each channel
  std::vector<std::int64_t> zero_point;  ///< likewise; within the levels
  QuantLevels levels;
  std::int64_t axis = 0;  ///< the channels' dimension; means nothing with one entry
};

/// The range of all values, or with an axis of each channel. `tensor` is float32.
[[nodiscard]] std::vector<ValueRange> value_ranges(const at::Tensor& tensor,
                                                   std::optional<std::int64_t> axis = std::nullopt);

/// True for both per-channel schemes.
[[nodiscard]] bool per_channel(QuantScheme scheme);

/// The grid for tensors with these ranges, each widened to hold 0:
///   affine     scale = (max - min) / (levels.max - levels.min), zero_point = levels.min - round(min / scale), clamped
///   symmetric  scale = max(-min, max) / ((levels.max - levels.min) / 2), zero_point = 0 (int) or the middle (uint)
/// Where that scale would be 0 (a range of zeros, or too small for a float32) it is 1, so that 0 stays 0.
/// The ranges are finite and spec has two levels at least.
[[nodiscard]] QuantGrid quant_grid(const std::vector<ValueRange>& ranges, const QuantSpec& spec, std::int64_t axis = 0);

/// Every value replaced by its nearest on the grid; NaN stays NaN. The gradient passes straight through where the
/// unclamped level lies within the levels and is 0 elsewhere (Bengio et al., 2013, arXiv 1308.3432); the grid gets
/// none. `tensor` is float32, dense, in any order of axes, on any device; throws c10::Error if it is not, or if the
/// channels differ in number.
[[nodiscard]] at::Tensor fake_quantize(const at::Tensor& tensor, const QuantGrid& grid);

}  // namespace lathe::compression
