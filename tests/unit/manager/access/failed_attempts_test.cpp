#include "access/failed_attempts.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

using namespace std::chrono_literals;
using Clock = FailedAttempts::Clock;

TEST(FailedAttempts, EachIsSlowerThanTheOneBefore) {
  FailedAttempts attempts;
  const Clock::time_point now{};
  for (const auto delay : {100ms, 200ms, 400ms, 800ms, 1600ms, 2000ms, 2000ms})
    EXPECT_EQ(attempts.count("10.0.0.1", now).delay, delay);
  EXPECT_EQ(attempts.count("10.0.0.2", now).delay, 100ms) << "another address";
}

TEST(FailedAttempts, AreForgottenInTime) {
  FailedAttempts attempts;
  const Clock::time_point now{};
  (void)attempts.count("10.0.0.1", now);
  EXPECT_EQ(attempts.count("10.0.0.1", now + 10min - 1ms).count, 2u);
  EXPECT_EQ(attempts.count("10.0.0.1", now + 20min).count, 1u);
}

TEST(FailedAttempts, DoNotFillTheLog) {
  FailedAttempts attempts;
  std::vector<std::uint64_t> logged;
  for (int i = 0; i < 100; ++i) {
    const auto verdict = attempts.count("10.0.0.1", Clock::time_point{});
    if (verdict.is_worth_a_line) logged.push_back(verdict.count);
  }
  EXPECT_EQ(logged, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 32, 64}));
}

TEST(FailedAttempts, OfMoreAddressesThanFitForgetTheOldest) {
  FailedAttempts attempts;
  Clock::time_point now{};
  for (int i = 0; i < 1025; ++i) (void)attempts.count("address " + std::to_string(i), now += 1ms);
  EXPECT_EQ(attempts.count("address 1024", now).count, 2u);
  EXPECT_EQ(attempts.count("address 1", now).count, 2u);
  EXPECT_EQ(attempts.count("address 0", now).count, 1u) << "the oldest one made room";
}

}  // namespace
}  // namespace lathe::manager
