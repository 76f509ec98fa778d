#include "key_matching.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace lathe::proto {
namespace {

constexpr auto known = std::to_array<std::string_view>({"trialConcurrency", "trialCommand", "tuner", "seed"});

TEST(KeyMatching, IgnoresCaseAndUnderscores) {
  EXPECT_EQ(normalized_key("trial_concurrency"), normalized_key("trialConcurrency"));
  EXPECT_EQ(normalized_key("TRIALCONCURRENCY"), "trialconcurrency");
  EXPECT_NE(normalized_key("trial-concurrency"), normalized_key("trialConcurrency"));
}

TEST(KeyMatching, FindsTheNearestName) {
  EXPECT_EQ(nearest("trialConcurency", known), "trialConcurrency");
  EXPECT_EQ(nearest("trial_comand", known), "trialCommand");
  EXPECT_EQ(nearest("tunner", known), "tuner");
  EXPECT_EQ(nearest("sed", known), "seed");
}

TEST(KeyMatching, SuggestsNothingForStrangers) {
  EXPECT_EQ(nearest("colour", known), std::nullopt);
  EXPECT_EQ(nearest("", known), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'x'), known), std::nullopt);
  EXPECT_EQ(suggestion("colour", known), "");
  EXPECT_EQ(suggestion("tunner", known), "; did you mean \"tuner\"?");
}

TEST(KeyMatching, ListsNames) {
  constexpr auto one = std::to_array<std::string_view>({"a"});
  EXPECT_EQ(listed(one), "a");
  EXPECT_EQ(listed(known), "trialConcurrency, trialCommand, tuner or seed");
}

}  // namespace
}  // namespace lathe::proto
