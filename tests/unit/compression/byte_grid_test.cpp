// Grids of quantized kernels.
#include "int8/byte_grid.hpp"

#include <gtest/gtest.h>

namespace lathe::compression {
namespace {

TEST(ByteGrids, CoverTheRangeOfTheSimulation) {
  const auto same = [](const std::optional<ByteGrid>& grid, double scale, std::int64_t zero_point) {
    ASSERT_TRUE(grid.has_value());
    EXPECT_NEAR(grid->scale, scale, 1e-6);
    EXPECT_EQ(grid->zero_point, zero_point);
  };
  same(byte_grid(QuantGrid{{0.5F}, {3}, {0, 255}, 0}, false), 0.5, 3);
  same(byte_grid(QuantGrid{{0.5F}, {-3}, {-128, 127}, 0}, false), 0.5, 125);
  same(byte_grid(QuantGrid{{0.5F}, {0}, {-127, 127}, 0}, false), 0.5, 128);
  same(byte_grid(QuantGrid{{0.5F}, {32}, {0, 127}, 0}, false), 0.5 * 127 / 255, 64);
  same(byte_grid(QuantGrid{{0.5F}, {32}, {0, 127}, 0}, true), 0.5, 32);
  same(byte_grid(QuantGrid{{0.5F}, {64}, {0, 255}, 0}, true), 0.5 * 255 / 127, 32);
  EXPECT_FALSE(byte_grid(QuantGrid{{0.5F, 1}, {0, 0}, {0, 255}, 1}, false));
  EXPECT_FALSE(byte_grid(QuantGrid{{0.5F}, {0}, {0, 511}, 0}, false));
  same(byte_grid(ValueRange{1, 5.1F}, false), 0.02, 0);
  same(without_negatives({0.5, 128, 255}, {}), 0.5 * 127 / 255, 0);
  same(without_negatives({0.5, 0, 255}, {}), 0.5, 0);
  same(without_negatives({0.5, 0, 255}, 6), 6.0 / 255, 0);
  same(without_negatives({0.01, 0, 255}, 6), 0.01, 0);
  same(without_negatives({0.5, 255, 255}, {}), 0.5, 0);
  same(union_of({{0.1, 0, 255}, {0.1, 255, 255}}, false), 0.2, 128);
}

}  // namespace
}  // namespace lathe::compression
