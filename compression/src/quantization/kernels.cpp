#include "quantization/kernels.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "vectorised.hpp"

namespace lathe::compression::kernels {
namespace {

using Lanes [[gnu::vector_size(16)]] = float;  // the compiler makes vectors of sums by itself, but not of minima

Lanes load_lanes(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

constexpr std::int64_t kSums = 16;  // of the reductions, which the compiler may not reorder itself

template <class T>
[[gnu::always_inline]] inline T clamp(T value, T min, T max) {
  const T raised = value < min ? min : value;
  return raised > max ? max : raised;  // NaN stays
}

template <bool kPass, class T>
[[gnu::always_inline]] inline void quantize_loop(const float* __restrict x, float* __restrict y,
                                                 std::uint8_t* __restrict pass, std::int64_t n, Affine<T> grid) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T level = std::rint(static_cast<T>(x[i]) / grid.scale + grid.zero_point);
    y[i] = static_cast<float>((clamp(level, grid.min, grid.max) - grid.zero_point) * grid.scale);
    if constexpr (kPass) pass[i] = static_cast<std::uint8_t>((level >= grid.min) & (level <= grid.max));
  }
}

template <bool kPass>
[[gnu::always_inline]] inline void row_loop(const float* __restrict x, float* __restrict y,
                                            std::uint8_t* __restrict pass, std::int64_t n,
                                            const float* __restrict scale, const float* __restrict zero_point,
                                            float min, float max) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float level = std::rint(x[i] / scale[i] + zero_point[i]);
    y[i] = (clamp(level, min, max) - zero_point[i]) * scale[i];
    if constexpr (kPass) pass[i] = static_cast<std::uint8_t>((level >= min) & (level <= max));
  }
}

/// The part of one element in the gradient of the scale: round(v) - v inside the levels (Esser et al., 2020, eq. 3),
/// the end of the levels outside.
struct LearntScaleTerm {
  float x_gradient;
  float scale_gradient;
};

[[gnu::always_inline]] inline LearntScaleTerm learnt_scale_term(float x, float gradient, float scale, float min,
                                                                float max) {
  const float v = x / scale;
  const bool inside = (v >= min) & (v <= max);
  const float clamped = clamp(v, min, max);
  const float level = std::rint(clamped);
  return {inside ? gradient : 0.0F, gradient * (inside ? level - clamped : level)};
}

}  // namespace

LATHE_VECTORISED void quantize(const float* x, float* y, std::uint8_t* pass, std::int64_t n,
                               const Affine<float>& grid) {
  if (pass == nullptr) {
    quantize_loop<false>(x, y, pass, n, grid);
  } else {
    quantize_loop<true>(x, y, pass, n, grid);
  }
}

LATHE_VECTORISED void quantize(const float* x, float* y, std::uint8_t* pass, std::int64_t n,
                               const Affine<double>& grid) {
  if (pass == nullptr) {
    quantize_loop<false>(x, y, pass, n, grid);
  } else {
    quantize_loop<true>(x, y, pass, n, grid);
  }
}

LATHE_VECTORISED void quantize_row(const float* x, float* y, std::uint8_t* pass, std::int64_t n, const float* scale,
                                   const float* zero_point, float min, float max) {
  if (pass == nullptr) {
    row_loop<false>(x, y, pass, n, scale, zero_point, min, max);
  } else {
    row_loop<true>(x, y, pass, n, scale, zero_point, min, max);
  }
}

LATHE_VECTORISED void pass_gradient(const float* gradient, const std::uint8_t* pass, float* out, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = pass[i] != 0 ? gradient[i] : 0.0F;
}

ValueRange range(const float* x, std::int64_t n) {
  constexpr std::int64_t lanes = sizeof(Lanes) / sizeof(float);
  constexpr std::int64_t block = 4 * lanes;
  struct Running {
    Lanes min;
    Lanes max;
    Lanes poison{};  // x - x: 0, or NaN when x is not finite
  };
  const Lanes first = Lanes{} + x[0];
  std::array<Running, 4> running;
  running.fill({first, first});
  ValueRange all{x[0], x[0]};
  float poisoned = 0;
  const auto include = [&](float low, float high, float bad) {
    all.min = low < all.min ? low : all.min;
    all.max = high > all.max ? high : all.max;
    poisoned += bad;
  };
  std::int64_t i = 0;
  for (; i + block <= n; i += block) {
    for (std::int64_t j = 0; j < 4; ++j) {
      Running& some = running[static_cast<std::size_t>(j)];
      const Lanes value = load_lanes(x + i + j * lanes);
      some.min = value < some.min ? value : some.min;
      some.max = value > some.max ? value : some.max;
      some.poison += value - value;
    }
  }
  for (const Running& some : running)
    for (int lane = 0; lane < lanes; ++lane) include(some.min[lane], some.max[lane], some.poison[lane]);
  for (; i < n; ++i) include(x[i], x[i], x[i] - x[i]);
  if (poisoned == 0) return all;
  return {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::quiet_NaN()};
}

LATHE_VECTORISED double learnt_scale_backward(const float* __restrict x, const float* __restrict gradient,
                                              float* __restrict x_gradient, std::int64_t n, float scale, float min,
                                              float max) {
  std::array<float, kSums> sums{};
  std::int64_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    for (std::size_t lane = 0; lane < kSums; ++lane) {
      const std::int64_t at = i + static_cast<std::int64_t>(lane);
      const LearntScaleTerm term = learnt_scale_term(x[at], gradient[at], scale, min, max);
      x_gradient[at] = term.x_gradient;
      sums[lane] += term.scale_gradient;
    }
  }
  double sum = 0;
  for (const float lane : sums) sum += static_cast<double>(lane);
  for (; i < n; ++i) {
    const LearntScaleTerm term = learnt_scale_term(x[i], gradient[i], scale, min, max);
    x_gradient[i] = term.x_gradient;
    sum += static_cast<double>(term.scale_gradient);
  }
  return sum;
}

}  // namespace lathe::compression::kernels
