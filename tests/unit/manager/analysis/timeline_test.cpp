#include "analysis/timeline.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

constexpr double forever = std::numeric_limits<double>::infinity();

TEST(Timeline, SpansOfAPlaceDoNotOverlap) {
  const std::vector<HostSpan> spans{{0, 0, 10}, {0, 5, 15}, {0, 10, 20}, {1, 3, 4}, {0, 12, forever}, {0, 15, 16}};
  EXPECT_EQ(slots_of(spans), (std::vector<std::uint32_t>{0, 1, 0, 0, 2, 1}));
}

TEST(Timeline, TakesSpansByTheirStart) {
  EXPECT_EQ(slots_of({{0, 10, 20}, {0, 0, 15}, {0, 0, 5}}), (std::vector<std::uint32_t>{1, 0, 1}));
  EXPECT_TRUE(slots_of({}).empty());
  EXPECT_EQ(slots_of({{0, 1, 1}, {0, 1, 1}}), (std::vector<std::uint32_t>{0, 0})) << "what took no time holds no place";
}

}  // namespace
}  // namespace lathe::manager
