#include "walk_density.hpp"

#include <cmath>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "sample_spaces.hpp"

namespace lathe::tuners {
namespace {

/// Choices on three levels, so that sums over all walks are exact.
proto::SearchSpace choices() {
  const auto inner = test::nested("inner", {{"p", {test::choice("leaf", {1, 2})}}, {"q", {}}});
  return {{test::choice("top", {"a", "b", "c"}),
           test::nested("arm", {{"A", {inner}}, {"B", {test::choice("b", {1, 2, 3})}}})}};
}

double prior(const SpaceTree& tree, const Point& point) {
  double product = 1;
  for (std::size_t node = 0; node < tree.size(); ++node) {
    if (is_present(point[node])) product /= static_cast<double>(tree.nodes()[node].axis.options());
  }
  return product;
}

class WalkDensityTest : public ::testing::Test {
 protected:
  WalkDensityTest() {
    RandomStream random(5, 0);
    for (int i = 0; i < 4; ++i) points_.push_back(tree_.sample(random));
    for (const Point& point : points_) observations_.push_back(&point);
  }

  template <class Visit>
  void for_each_walk(Visit visit) const {
    const Point start = tree_.read(tree_.parameters(points_[0]));
    Point point = start;
    do {
      visit(point);
      point = tree_.successor(point);
    } while (tree_.parameters(point) != tree_.parameters(start));
  }

  SpaceTree tree_{choices()};
  std::vector<Point> points_;
  std::vector<const Point*> observations_;
};

TEST_F(WalkDensityTest, SumsToOneOverAllWalks) {
  const WalkDensity density(tree_, observations_, {1, 5, 2, 1, 0.5}, 1);
  double sum = 0;
  int walks = 0;
  for_each_walk([&](const Point& point) {
    sum += prior(tree_, point) * std::exp(density.log_ratio(point));
    ++walks;
  });
  EXPECT_EQ(walks, 3 * (2 + 1 + 3));
  EXPECT_NEAR(sum, 1, 1e-12);
}

TEST_F(WalkDensityTest, DrawsAsOftenAsItSays) {
  const WalkDensity density(tree_, observations_, {1, 5, 2, 1, 0.5}, 1);
  RandomStream random(6, 0);
  constexpr int kDraws = 20000;
  std::map<std::string, int> counts;
  for (int i = 0; i < kDraws; ++i) ++counts[tree_.parameters(density.sample(random)).dump()];
  for_each_walk([&](const Point& point) {
    const double expected = kDraws * prior(tree_, point) * std::exp(density.log_ratio(point));
    EXPECT_NEAR(counts[tree_.parameters(point).dump()], expected, 5 * std::sqrt(expected) + 5);
  });
}

TEST_F(WalkDensityTest, IsThePriorWithoutObservations) {
  const WalkDensity density(tree_, {}, {1}, 1);
  for_each_walk([&](const Point& point) { EXPECT_EQ(density.log_ratio(point), 0); });
}

}  // namespace
}  // namespace lathe::tuners
