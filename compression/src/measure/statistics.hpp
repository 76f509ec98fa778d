// Medians, quartiles and how sure they are.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace lathe::compression {

/// The q-quantile, 0 <= q <= 1, linear between the two nearest values (NumPy's default); 0 of no values.
[[nodiscard]] double quantile(std::vector<double> values, double q);

/// 95 % confidence interval of median(a) / median(b) by a percentile bootstrap over the pairs (a[i], b[i]), which are
/// as many: 2000 draws, the same for the same seed. Values are > 0.
[[nodiscard]] std::pair<double, double> ratio_interval(const std::vector<double>& a, const std::vector<double>& b,
                                                       std::uint64_t seed);

}  // namespace lathe::compression
