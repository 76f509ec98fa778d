#include "storage/metric_table.hpp"

#include <gtest/gtest.h>

#include "storage_fixture.hpp"

namespace lathe::manager {
namespace {

using MetricTableTest = StorageTest;

TEST_F(MetricTableTest, ARepeatedPeriodicalMetricIsStoredOnceAndTheLastFinalWins) {
  auto connection = open();
  insert_experiment(*connection, experiment_row("e1"));
  insert_trial(*connection, trial_row("e1", 0));
  const MetricRow point{"e1", 0, 0, {"t0", proto::MetricType::Periodical, 3, 1, 0.5}};
  EXPECT_TRUE(store_metric(*connection, point));
  EXPECT_FALSE(store_metric(*connection, point));
  store_metric(*connection, {"e1", 0, 0, {"t0", proto::MetricType::Final, 0, 1, 0.1}});
  store_metric(*connection, {"e1", 0, 0, {"t0", proto::MetricType::Final, 0, 2, 0.2}});
  MetricQuery query;
  query.experiment_id = "e1";
  const auto page = page_of_metrics(*connection, query);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->items.size(), 2u);
  EXPECT_EQ(page->items[0].sequence, 3);
  EXPECT_EQ(page->items[1].value, 0.2);
}

TEST_F(MetricTableTest, MetricsPageWithinATrialAndAcrossTheExperiment) {
  auto connection = open();
  fill(*connection, 3);
  for (int trial = 0; trial < 3; ++trial) {
    for (int point = 0; point < 5; ++point) {
      store_metric(*connection, {"e1", trial, 0, {"", proto::MetricType::Periodical, point, 1, point}});
    }
    store_metric(*connection, {"e1", trial, 0, {"", proto::MetricType::Final, 0, 1, trial}});
  }
  for (const bool one_trial : {false, true}) {
    MetricQuery query;
    query.experiment_id = "e1";
    if (one_trial) query.trial_id = "t1";
    query.limit = 4;
    std::size_t rows = 0;
    do {
      const auto page = page_of_metrics(*connection, query);
      ASSERT_TRUE(page);
      rows += page->items.size();
      query.cursor = page->next_cursor;
    } while (!query.cursor.empty() && rows < 100);
    EXPECT_EQ(rows, one_trial ? 6u : 18u);
  }
}

}  // namespace
}  // namespace lathe::manager
