#include "analysis/pareto.hpp"

#include <algorithm>
#include <cstdint>

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

/// By the definition, O(n^2).
std::vector<std::size_t> brute_force(const std::vector<ObjectivePoint>& points) {
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool is_dominated = std::any_of(points.begin(), points.end(), [&](const ObjectivePoint& other) {
      return other != points[i] && other[0] <= points[i][0] && other[1] <= points[i][1] && other[2] <= points[i][2];
    });
    if (!is_dominated) front.push_back(i);
  }
  std::sort(front.begin(), front.end(),
            [&](std::size_t a, std::size_t b) { return std::pair(points[a], a) < std::pair(points[b], b); });
  return front;
}

/// Small whole numbers, so that many coordinates are equal (a linear congruential generator).
std::vector<ObjectivePoint> random_points(std::uint32_t seed, std::size_t count, std::uint32_t values, bool third) {
  const auto next = [&seed, values] {
    return static_cast<double>(((seed = seed * 1664525u + 1013904223u) >> 8) % values);
  };
  std::vector<ObjectivePoint> points;
  for (std::size_t i = 0; i < count; ++i) {
    const double first = next();
    const double second = next();
    points.push_back({first, second, third ? next() : 0});
  }
  return points;
}

TEST(ParetoFront, EqualsBruteForce) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    const std::uint32_t values = seed % 4 == 0 ? 1'000'000 : 2 + seed % 17;
    const auto points = random_points(seed, 1 + seed % 60, values, seed % 3 != 0);
    ASSERT_EQ(pareto_front(points), brute_force(points)) << "seed " << seed;
  }
}

TEST(ParetoFront, KeepsEqualPointsTogether) {
  EXPECT_EQ(pareto_front({{1, 2, 0}, {1, 2, 0}, {2, 1, 0}, {2, 2, 0}}), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(pareto_front({{0.0, 0, 0}, {-0.0, 0, 0}}), (std::vector<std::size_t>{0, 1}));
  EXPECT_TRUE(pareto_front({}).empty());
}

}  // namespace
}  // namespace lathe::manager
