#include "kernel_column.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "gaussian.hpp"
#include "goodness_of_fit.hpp"
#include "sample_spaces.hpp"

namespace lathe::tuners {
namespace {

constexpr double kPriorWeight = 1;

std::vector<std::size_t> rows(std::size_t count) {
  std::vector<std::size_t> result(count);
  std::iota(result.begin(), result.end(), std::size_t{0});
  return result;
}

KernelColumn column(const Axis& axis, const std::vector<double>& values) {
  return {axis, rows(values.size()), values, values.size(), kPriorWeight};
}

/// kernel(x) / prior(x) of one row.
double ratio(const KernelColumn& column, std::size_t row, std::size_t row_count, double x) {
  std::vector<double> totals(row_count, 0.0);
  column.add_log_ratios(x, totals);
  return std::exp(totals[row]);
}

/// The rule by its words, in quadratic time.
std::vector<double> widths_by_definition(const std::vector<double>& values, double floor) {
  std::vector<double> widths;
  for (std::size_t i = 0; i < values.size(); ++i) {
    double left = 0;
    double right = 0;
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const auto first = std::lower_bound(sorted.begin(), sorted.end(), values[i]);
    const auto last = std::upper_bound(sorted.begin(), sorted.end(), values[i]);
    if (first != sorted.begin()) left = values[i] - *std::prev(first);
    if (last != sorted.end()) right = *last - values[i];
    widths.push_back(std::clamp(std::max(left, right), floor, 1.0));
  }
  return widths;
}

TEST(NeighbourWidths, FollowTheirDefinition) {
  RandomStream random(1, 0);
  for (const std::size_t count : {0U, 1U, 2U, 5U, 40U, 300U}) {
    for (const double floor : {0.03, 0.2, 1.0 / 3}) {
      std::vector<double> values;
      for (std::size_t i = 0; i < count; ++i) values.push_back(random.uniform());
      EXPECT_EQ(neighbour_widths(values, floor), widths_by_definition(values, floor)) << count << " " << floor;
    }
  }
}

TEST(NeighbourWidths, BridgeEmptyCells) {
  EXPECT_EQ(neighbour_widths({0.9, 0.1, 0.11}, 0.03), (std::vector<double>{0.79, 0.03, 0.79}));
  EXPECT_EQ(neighbour_widths({-9, 9}, 0.03), (std::vector<double>{1, 1}));
  EXPECT_EQ(neighbour_widths({0.5}, 0.25), (std::vector<double>{0.25}));
}

TEST(KernelColumn, NumbersIntegrateToOne) {
  const Axis axis(proto::Uniform{});
  const std::vector<double> values{0, 0.01, 0.5, 0.97, 1};
  const KernelColumn kernels = column(axis, values);
  constexpr int kCells = 20000;
  for (std::size_t row = 0; row < values.size(); ++row) {
    double sum = 0;
    for (int i = 0; i < kCells; ++i) sum += ratio(kernels, row, values.size(), (i + 0.5) / kCells) / kCells;
    EXPECT_NEAR(sum, 1, 1e-5) << row;
  }
}

TEST(KernelColumn, NormalsIntegrateToOneUnderThePrior) {
  const Axis axis(proto::Normal{});
  const std::vector<double> values{-2, 0.3, 0.4};
  const KernelColumn kernels = column(axis, values);
  for (std::size_t row = 0; row < values.size(); ++row) {
    double sum = 0;
    for (double x = -10; x < 10; x += 1e-3) {
      sum += ratio(kernels, row, values.size(), x) * std::exp(-x * x / 2 - kLogSqrtTwoPi) * 1e-3;
    }
    EXPECT_NEAR(sum, 1, 1e-6) << row;
  }
}

TEST(KernelColumn, OptionsSumToOneAndFavourTheirOwn) {
  const Axis axis(test::choice("x", {"a", "b", "c"}).distribution);
  const KernelColumn kernels = column(axis, {1, 1, 2});
  double sum = 0;
  for (const double option : {0.0, 1.0, 2.0}) sum += ratio(kernels, 0, 3, option) / 3;
  EXPECT_NEAR(sum, 1, 1e-12);
  // a = 1/4: own weight 1.25, the others 0.25 of 1.75.
  EXPECT_NEAR(ratio(kernels, 0, 3, 1) / 3, 1.25 / 1.75, 1e-12);
  EXPECT_NEAR(ratio(kernels, 0, 3, 2) / 3, 0.25 / 1.75, 1e-12);
}

TEST(KernelColumn, SaysNothingAboutRowsWithoutAValue) {
  const Axis axis(proto::Uniform{});
  const KernelColumn kernels(axis, {1}, {0.5}, 3, kPriorWeight);
  std::vector<double> totals(3, 7.0);
  kernels.add_log_ratios(0.5, totals);
  EXPECT_EQ(totals[0], 7);
  EXPECT_GT(totals[1], 7);
  EXPECT_EQ(totals[2], 7);
  RandomStream random(1, 0);
  EXPECT_EQ(kernels.sample(0, random), std::nullopt);
  EXPECT_TRUE(kernels.sample(1, random));
}

TEST(KernelColumn, DrawsNumbersFromTheCutGaussian) {
  const Axis axis(proto::Uniform{});
  const KernelColumn kernels = column(axis, {0.1});  // width 1/3
  RandomStream random(2, 0);
  std::vector<double> draws;
  for (int i = 0; i < 5000; ++i) draws.push_back(kernels.sample(0, random).value());
  const auto mass = [](double x) { return normal_cdf((x - 0.1) * 3) - normal_cdf(-0.3); };
  const auto cdf = [&](double x) { return mass(x) / mass(1); };
  EXPECT_LT(test::kolmogorov_distance(draws, cdf), test::kolmogorov_limit(draws.size()));
}

TEST(KernelColumn, DrawsOptionsAsOftenAsItsDensitySays) {
  const Axis axis(test::choice("x", {"a", "b", "c"}).distribution);
  const KernelColumn kernels = column(axis, {1, 1, 2});
  RandomStream random(3, 0);
  int own = 0;
  for (int i = 0; i < 10000; ++i) own += kernels.sample(0, random).value() == 1 ? 1 : 0;
  EXPECT_NEAR(own / 10000.0, 1.25 / 1.75, 0.02);
}

TEST(KernelColumn, IsWideEnoughToReachTheNextCoarseStep) {
  const Axis axis(proto::RandInt{0, 2});
  const KernelColumn kernels = column(axis, std::vector<double>(100, 0.25));
  RandomStream random(4, 0);
  int other = 0;
  for (int i = 0; i < 1000; ++i) other += kernels.sample(0, random).value() > 0.5 ? 1 : 0;
  EXPECT_GT(other, 30);
  EXPECT_LT(other, 300);
}

}  // namespace
}  // namespace lathe::tuners
