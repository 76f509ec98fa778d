// Statistics that compare draws with the distribution they should have.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

namespace lathe::tuners::test {

/// Largest distance between the draws' own distribution function and `cdf`.
inline double kolmogorov_distance(std::vector<double> draws, const std::function<double(double)>& cdf) {
  std::sort(draws.begin(), draws.end());
  const double n = static_cast<double>(draws.size());
  double distance = 0;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const double p = cdf(draws[i]);
    distance = std::max({distance, p - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - p});
  }
  return distance;
}

/// What true draws stay below in 99.9 % of cases.
inline double kolmogorov_limit(std::size_t n) {
  return 1.95 / std::sqrt(static_cast<double>(n));
}

/// Pearson's statistic for counts that should all be `expected`.
inline double chi_square(const std::vector<int>& counts, double expected) {
  double sum = 0;
  for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

}  // namespace lathe::tuners::test
