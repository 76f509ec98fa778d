// The loops of fake quantization over contiguous float32, written so that the compiler vectorises them.
#pragma once

#include <cstdint>

#include <lathe/compression/quant_grid.hpp>

namespace lathe::compression::kernels {

/// A grid of one channel. T is the type that levels are computed in.
template <class T>
struct Affine {
  T scale;
  T zero_point;
  T min;
  T max;
};

/// Greatest number of bits whose levels a float32 holds exactly.
inline constexpr std::int64_t kFloatLevels = std::int64_t{1} << 24;

/// y = fake-quantized x. `pass` (nullptr: not wanted) gets 1 where the gradient passes, else 0.
void quantize(const float* x, float* y, std::uint8_t* pass, std::int64_t n, const Affine<float>& grid);
void quantize(const float* x, float* y, std::uint8_t* pass, std::int64_t n, const Affine<double>& grid);

/// The same with a scale and a zero point for each element: one row of a tensor whose last dimension is the channel.
void quantize_row(const float* x, float* y, std::uint8_t* pass, std::int64_t n, const float* scale,
                  const float* zero_point, float min, float max);

/// out = pass ? gradient : 0
void pass_gradient(const float* gradient, const std::uint8_t* pass, float* out, std::int64_t n);

/// Of n > 0 values; see ValueRange.
[[nodiscard]] ValueRange range(const float* x, std::int64_t n);

/// Backward of y = clamp(round(x / scale), min, max) * scale with a learnt scale: writes the gradient of x and returns
/// that of the scale, before it is damped.
[[nodiscard]] double learnt_scale_backward(const float* x, const float* gradient, float* x_gradient, std::int64_t n,
                                           float scale, float min, float max);

}  // namespace lathe::compression::kernels
