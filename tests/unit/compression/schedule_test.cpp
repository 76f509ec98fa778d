#include <lathe/compression/schedule.hpp>

#include <vector>

#include <gtest/gtest.h>

namespace lathe::compression {
namespace {

constexpr double kPrinted = 5e-7;  // the expected values are printed with six digits

AgpSchedule schedule(double initial, double final, std::int64_t start, std::int64_t end, std::int64_t frequency = 1) {
  return {initial, final, start, end, frequency};
}

TEST(AgpSchedule, TenEpochsToEightyPercent) {
  const std::vector<double> expected{0, .238134, .423594, .562963, .662826, .729767, .770370, .791221, .798903, .8};
  const AgpSchedule agp = schedule(0, 0.8, 0, 10);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(agp.sparsity(static_cast<std::int64_t>(i)), expected[i], kPrinted) << "epoch " << i;
  }
  EXPECT_DOUBLE_EQ(agp.sparsity(100), 0.8);
}

TEST(AgpSchedule, ThreeEpochsOfNni1) {
  const AgpSchedule agp = schedule(0, 0.5, 0, 3);  // span 2
  EXPECT_DOUBLE_EQ(agp.sparsity(0), 0);
  EXPECT_DOUBLE_EQ(agp.sparsity(1), 0.5 - 0.5 * 0.125);
  EXPECT_DOUBLE_EQ(agp.sparsity(2), 0.5);
}

TEST(AgpSchedule, StartsAtTheInitialSparsity) {
  const AgpSchedule agp = schedule(0.2, 0.6, 2, 5);
  EXPECT_DOUBLE_EQ(agp.sparsity(1), 0);
  EXPECT_DOUBLE_EQ(agp.sparsity(2), 0.2);
  EXPECT_DOUBLE_EQ(agp.sparsity(4), 0.6);
}

TEST(AgpSchedule, RefreshesEveryFrequencyEpochs) {
  const AgpSchedule agp = schedule(0, 0.8, 0, 7, 3);  // span 6
  EXPECT_DOUBLE_EQ(agp.sparsity(2), 0);
  EXPECT_DOUBLE_EQ(agp.sparsity(3), 0.8 * (1 - 0.125));
  EXPECT_DOUBLE_EQ(agp.sparsity(5), agp.sparsity(3));
  EXPECT_DOUBLE_EQ(agp.sparsity(6), 0.8);
}

TEST(AgpSchedule, NoSpanGoesStraightToTheEnd) {
  EXPECT_DOUBLE_EQ(schedule(0, 0.8, 0, 1).sparsity(0), 0.8);
  EXPECT_DOUBLE_EQ(schedule(0, 0.8, 0, 0).sparsity(0), 0.8);
  EXPECT_DOUBLE_EQ(schedule(0, 0.8, 5, 2).sparsity(5), 0.8);
}

TEST(AgpSchedule, TargetsKeysGoBeforeDefaults) {
  SparsityTarget target;
  target.sparsity = 0.7;
  target.end_epoch = 9;
  const AgpSchedule agp = agp_schedule(target, schedule(0.1, 0, 1, 5, 2));
  EXPECT_DOUBLE_EQ(agp.final_sparsity, 0.7);
  EXPECT_DOUBLE_EQ(agp.initial_sparsity, 0.1);
  EXPECT_EQ(agp.start_epoch, 1);
  EXPECT_EQ(agp.end_epoch, 9);
  EXPECT_EQ(agp.frequency, 2);
}

}  // namespace
}  // namespace lathe::compression
