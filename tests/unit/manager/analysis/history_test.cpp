#include "analysis/history.hpp"

#include <gtest/gtest.h>

#include "tables.hpp"

namespace lathe::manager {
namespace {

TEST(History, HasEveryStepOfTheBest) {
  TrialTable table;
  const std::vector<std::string> metrics{"3", "", "1", "2", "5", "5", "4"};
  for (std::size_t i = 0; i < metrics.size(); ++i) put(table, static_cast<std::int64_t>(i), "{}", metrics[i]);
  const Column& metric = *table.find("metric");
  const History up = history_of(metric, all_rows(table), 100, Goal::Maximize);
  EXPECT_EQ(up.total, 6u);
  EXPECT_EQ(up.points, (Rows{0, 2, 3, 4, 5, 6}));
  EXPECT_EQ(up.best, (Rows{0, 4})) << "an equal one is not better";
  EXPECT_EQ(history_of(metric, all_rows(table), 100, Goal::Minimize).best, (Rows{0, 2}));
  EXPECT_TRUE(history_of(metric, all_rows(table), 100, std::nullopt).best.empty());
}

TEST(History, IsBoundedHoweverManyBestsThereAre) {
  TrialTable table;
  for (int i = 0; i < 1000; ++i) put(table, i, "{}", std::to_string(i));
  const History history = history_of(*table.find("metric"), all_rows(table), 50, Goal::Maximize);
  EXPECT_EQ(history.total, 1000u);
  EXPECT_LE(history.points.size(), 50u);
  EXPECT_EQ(history.best.size(), 50u);
  EXPECT_EQ(history.best.back(), 999u);
}

}  // namespace
}  // namespace lathe::manager
