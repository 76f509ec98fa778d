#include "measure/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace lathe::compression {

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(values.begin(), middle, values.end());
  const double fraction = place - static_cast<double>(below);
  if (fraction == 0) return *middle;
  return *middle + fraction * (*std::min_element(middle + 1, values.end()) - *middle);
}

std::pair<double, double> ratio_interval(const std::vector<double>& a, const std::vector<double>& b,
                                         std::uint64_t seed) {
  constexpr int kDraws = 2000;
  if (a.empty()) return {0, 0};
  std::mt19937_64 random(seed);
  std::vector<double> ratios;
  std::vector<double> drawn_a(a.size());
  std::vector<double> drawn_b(a.size());
  for (int draw = 0; draw < kDraws; ++draw) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const std::size_t pair = random() % a.size();
      drawn_a[i] = a[pair];
      drawn_b[i] = b[pair];
    }
    ratios.push_back(quantile(drawn_a, 0.5) / quantile(drawn_b, 0.5));
  }
  return {quantile(ratios, 0.025), quantile(ratios, 0.975)};
}

}  // namespace lathe::compression
