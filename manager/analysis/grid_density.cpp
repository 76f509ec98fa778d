#include "analysis/grid_density.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lathe::manager {
namespace {

constexpr double narrowest = 0.5 / 1.64;  // 90 % of the kernel is in its own cell
constexpr double prior_weight = 1;
constexpr double least_density = 1e-12;

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

/// The first cell with observations at which the number of observations up to it reaches (or exceeds) `wanted`; the
/// last of them when none does.
double quantile_cell(const std::vector<double>& counts, double wanted, bool exceeds) {
  double total = 0;
  double last = 0;
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    if (counts[cell] == 0) continue;
    total += counts[cell];
    last = static_cast<double>(cell);
    if (exceeds ? total > wanted : total >= wanted) break;
  }
  return last;
}

double scott_bandwidth(const std::vector<double>& counts) {
  const double n = sum(counts);
  double mean = 0;
  for (std::size_t cell = 0; cell < counts.size(); ++cell) mean += static_cast<double>(cell) * counts[cell] / n;
  double squares = 0;
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    squares += std::pow(static_cast<double>(cell) - mean, 2) * counts[cell];
  }
  const double deviation = std::sqrt(squares / std::max(1.0, n - 1));
  const double quartiles =
      quantile_cell(counts, std::floor(n * 3 / 4), true) - quantile_cell(counts, std::floor(n / 4), false);
  return std::max(narrowest, 1.059 * std::min(quartiles / 1.34, deviation) * std::pow(n, -0.2));
}

/// Adds a normal distribution, discrete on the grid and truncated to it.
void add_kernel(std::vector<double>& density, double weight, double center, double width) {
  const auto cells = static_cast<double>(density.size());
  const double whole = normal_cdf((cells - 0.5 - center) / width) - normal_cdf((-0.5 - center) / width);
  double below = normal_cdf((-0.5 - center) / width);
  for (std::size_t cell = 0; cell < density.size(); ++cell) {
    const double above = normal_cdf((static_cast<double>(cell) + 0.5 - center) / width);
    density[cell] += weight * (above - below) / whole;
    below = above;
  }
}

}  // namespace

std::vector<double> ordered_density(const std::vector<double>& counts) {
  const double total = sum(counts) + prior_weight;
  const double bandwidth = scott_bandwidth(counts);
  const auto cells = static_cast<double>(counts.size());
  std::vector<double> density(counts.size());
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    if (counts[cell] > 0) add_kernel(density, counts[cell] / total, static_cast<double>(cell), bandwidth);
  }
  add_kernel(density, prior_weight / total, 0.5 * (cells - 1), cells);
  return density;
}

std::vector<double> category_density(const std::vector<double>& counts) {
  const double total = sum(counts) + prior_weight;
  const auto categories = static_cast<double>(counts.size());
  const auto observed =
      static_cast<double>(std::count_if(counts.begin(), counts.end(), [](double n) { return n > 0; }));
  const double everywhere = prior_weight / (observed + 1);
  const double kernel_sum = 1 + everywhere * categories;
  std::vector<double> density(counts.size());
  for (std::size_t category = 0; category < counts.size(); ++category) {
    const double from_kernels = (counts[category] + everywhere * sum(counts)) / kernel_sum;
    density[category] = (from_kernels + prior_weight / categories) / total;
  }
  return density;
}

double pearson_divergence(const std::vector<double>& top, const std::vector<double>& all) {
  double divergence = 0;
  for (std::size_t cell = 0; cell < all.size(); ++cell) {
    const double expected = all[cell] + least_density;
    divergence += expected * std::pow((top[cell] + least_density) / expected - 1, 2);
  }
  return divergence;
}

}  // namespace lathe::manager
