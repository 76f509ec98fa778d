// The standard normal distribution.
#pragma once

namespace lathe::tuners {

inline constexpr double kLogSqrtTwoPi = 0.91893853320467274178;

/// P(Z <= x), accurate in both tails.
[[nodiscard]] double normal_cdf(double x);

/// The x with normal_cdf(x) = p, for 0 < p < 1, to about 1e-16 relative: Wichura's algorithm AS 241 (PPND16), 1988.
[[nodiscard]] double normal_quantile(double p);

/// P(lower <= Z <= upper) for lower <= 0 <= upper, within 1e-6; exactly 1 where both bounds are far away.
[[nodiscard]] double normal_mass_around_zero(double lower, double upper);

}  // namespace lathe::tuners
