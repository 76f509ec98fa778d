#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/proto/experiment_config.hpp>

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;

struct GoodDuration {
  ordered_json value;
  long long seconds;
};

class Duration : public ::testing::TestWithParam<GoodDuration> {};

TEST_P(Duration, IsReadInSeconds) {
  const auto duration = parse_duration(GetParam().value);
  ASSERT_TRUE(duration) << GetParam().value << ": " << duration.error().message;
  EXPECT_EQ(duration->count(), GetParam().seconds) << GetParam().value;
  EXPECT_EQ(parse_duration(to_string(*duration)).value(), *duration);
}

INSTANTIATE_TEST_SUITE_P(Proto, Duration,
                         ::testing::Values(GoodDuration{"90s", 90}, GoodDuration{"1h", 3600},
                                           GoodDuration{"100h", 360000}, GoodDuration{"2D", 172800},
                                           GoodDuration{"1.5m", 90}, GoodDuration{"0.1s", 1}, GoodDuration{"1.01s", 2},
                                           GoodDuration{" 3 H ", 10800}, GoodDuration{"1e2s", 100},
                                           GoodDuration{300, 300}, GoodDuration{"999d", 86313600},
                                           GoodDuration{"36500d", 3153600000}));

struct BadDuration {
  ordered_json value;
  const char* message;
};

class WrongDuration : public ::testing::TestWithParam<BadDuration> {};

TEST_P(WrongDuration, IsRefused) {
  const auto duration = parse_duration(GetParam().value);
  ASSERT_FALSE(duration) << GetParam().value;
  EXPECT_THAT(duration.error().message, ::testing::HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Proto, WrongDuration,
    ::testing::Values(BadDuration{"", "expected a number with unit"}, BadDuration{"5", "unit d, h, m or s"},
                      BadDuration{"h", "found \"h\""}, BadDuration{"5 weeks", "unit"}, BadDuration{"5y", "unit"},
                      BadDuration{"infs", "unit"}, BadDuration{"nans", "unit"}, BadDuration{"0x10s", "unit"},
                      BadDuration{"1e400s", "unit"}, BadDuration{"0s", "longer than 0, found \"0s\""},
                      BadDuration{"-1h", "longer than 0"}, BadDuration{0, "longer than 0, found 0"},
                      BadDuration{-5, "longer than 0"}, BadDuration{"36501d", "at most 36500d"},
                      BadDuration{18446744073709551615U, "at most 36500d"}, BadDuration{1.5, "found 1.5"},
                      BadDuration{true, "found true"}, BadDuration{ordered_json::object(), "found an empty object"}));

}  // namespace
}  // namespace lathe::proto
