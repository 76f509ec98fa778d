#include "random.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "goodness_of_fit.hpp"

namespace lathe::tuners {
namespace {

TEST(SplitMix64, GivesThePublishedSequence) {
  SplitMix64 words(1234567);
  EXPECT_EQ(words.next(), 6457827717110365317U);
  EXPECT_EQ(words.next(), 3203168211198807973U);
  EXPECT_EQ(words.next(), 9817491932198370423U);
}

TEST(RandomStream, GivesThePublishedSequenceOfXoshiro256PlusPlus) {
  RandomStream random(RandomStream::State{1, 2, 3, 4});
  EXPECT_EQ(random.next(), 41943041U);
  EXPECT_EQ(random.next(), 58720359U);
  EXPECT_EQ(random.next(), 3588806011781223U);
  EXPECT_EQ(random.next(), 3591011842654386U);
  EXPECT_EQ(random.next(), 9228616714210784205U);
}

TEST(RandomStream, GivesTheSameDrawsOnEveryPlatform) {
  RandomStream random(42, 7);
  EXPECT_EQ(random.next(), 6144688783203113279U);
  EXPECT_EQ(random.uniform(), 0x1.6d64966626de8p-2);
  EXPECT_EQ(random.below(1000), 960U);
  EXPECT_NEAR(random.normal(), -0.9299776344608484, 1e-14);
}

TEST(RandomStream, HasItsOwnSequenceForEveryPairOfSeedAndTrial) {
  std::set<std::uint64_t> first;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (std::uint64_t trial = 0; trial < 50; ++trial) first.insert(RandomStream(seed, trial).next());
  }
  EXPECT_EQ(first.size(), 2500U);
}

TEST(RandomStream, FirstDrawsOfConsecutiveTrialsAreUniform) {
  std::vector<double> draws;
  for (std::uint64_t trial = 0; trial < 5000; ++trial) draws.push_back(RandomStream(1, trial).uniform());
  EXPECT_LT(test::kolmogorov_distance(draws, [](double x) { return x; }), test::kolmogorov_limit(draws.size()));
}

TEST(RandomStream, PicksIntegersWithoutBias) {
  RandomStream random(3, 0);
  std::vector<int> counts(7, 0);
  for (int i = 0; i < 70000; ++i) ++counts[random.below(7)];
  EXPECT_LT(test::chi_square(counts, 10000), 22.46);  // 99.9 % of chi-square with 6 degrees of freedom
}

TEST(RandomStream, PicksFromSizesThatDoNotDivideTheWords) {
  // Taking words modulo 3 * 2^62 would put half of them into the lowest third.
  RandomStream random(4, 0);
  const std::uint64_t third = std::uint64_t{1} << 62U;
  std::vector<int> counts(3, 0);
  for (int i = 0; i < 30000; ++i) ++counts[random.below(3 * third) / third];
  EXPECT_LT(test::chi_square(counts, 10000), 13.82);
}

TEST(RandomStream, DrawsNormals) {
  RandomStream random(5, 0);
  std::vector<double> draws;
  for (int i = 0; i < 5000; ++i) draws.push_back(random.normal());
  const auto cdf = [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); };
  EXPECT_LT(test::kolmogorov_distance(draws, cdf), test::kolmogorov_limit(draws.size()));
}

}  // namespace
}  // namespace lathe::tuners
