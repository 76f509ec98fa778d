#include "storage/trial_table.hpp"

#include <chrono>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/metric_table.hpp"
#include "storage_fixture.hpp"

namespace lathe::manager {
namespace {

using proto::TrialStatus;
using ::testing::HasSubstr;

class TrialPageTest : public StorageTest {
 protected:
  std::vector<std::int64_t> walk(Connection& connection, TrialQuery query) {
    std::vector<std::int64_t> sequences;
    do {
      const auto page = page_of_trials(connection, query);
      EXPECT_TRUE(page);
      if (!page) return sequences;
      for (const TrialRecord& record : page->items) sequences.push_back(record.sequence);
      query.cursor = page->next_cursor;
    } while (!query.cursor.empty() && sequences.size() < 10'000);
    return sequences;
  }

  static TrialQuery query(TrialSort sort, std::int64_t limit) {
    TrialQuery result;
    result.experiment_id = "e1";
    result.sort = sort;
    result.limit = limit;
    return result;
  }
};

TEST_F(TrialPageTest, EveryOrderVisitsEachTrialOnceAndInOrder) {
  auto connection = open();
  fill(*connection, 50);
  for (const TrialSort sort : {TrialSort::SequenceAscending, TrialSort::SequenceDescending, TrialSort::MetricAscending,
                               TrialSort::MetricDescending}) {
    const auto whole = walk(*connection, query(sort, 1000));
    ASSERT_EQ(whole.size(), 50u);
    EXPECT_EQ(std::set<std::int64_t>(whole.begin(), whole.end()).size(), 50u);
    for (const std::int64_t limit : {1, 7, 50}) EXPECT_EQ(walk(*connection, query(sort, limit)), whole) << limit;
  }
  const auto by_metric = walk(*connection, query(TrialSort::MetricDescending, 9));
  for (std::size_t i = 0; i < 33; ++i) EXPECT_NE(by_metric[i] % 3, 0) << "trials without a metric come last";
}

TEST_F(TrialPageTest, FiltersByStatus) {
  auto connection = open();
  fill(*connection, 30);
  TrialQuery failed = query(TrialSort::SequenceDescending, 4);
  failed.statuses = {TrialStatus::Failed, TrialStatus::Failed};
  EXPECT_EQ(walk(*connection, failed), (std::vector<std::int64_t>{27, 24, 21, 18, 15, 12, 9, 6, 3, 0}));
}

TEST_F(TrialPageTest, StaysExactWhileTrialsAreAdded) {
  auto connection = open();
  fill(*connection, 10);
  TrialQuery asked = query(TrialSort::SequenceAscending, 6);
  const auto first = page_of_trials(*connection, asked);
  ASSERT_TRUE(first);
  for (int i = 10; i < 14; ++i) insert_trial(*connection, trial_row("e1", i));
  asked.cursor = first->next_cursor;
  EXPECT_EQ(walk(*connection, asked), (std::vector<std::int64_t>{6, 7, 8, 9, 10, 11, 12, 13}));
}

TEST_F(TrialPageTest, NeverScansNorSorts) {
  auto connection = open();
  fill(*connection, 10);
  for (const TrialSort sort : {TrialSort::SequenceAscending, TrialSort::MetricAscending, TrialSort::MetricDescending}) {
    for (const std::string& sql : trial_page_statements(sort)) {
      Statement plan = connection->prepare("EXPLAIN QUERY PLAN " + sql);
      while (plan.step()) {
        EXPECT_THAT(plan.text(3), HasSubstr("SEARCH trials USING INDEX")) << sql;
        EXPECT_THAT(plan.text(3), ::testing::Not(HasSubstr("TEMP B-TREE"))) << sql;
      }
    }
  }
}

TEST_F(TrialPageTest, APageCostsTheSameHoweverManyTrialsThereAre) {
  auto connection = open();
  fill(*connection, 20'000);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) {
    TrialQuery asked = query(TrialSort::MetricDescending, 100);
    asked.cursor = "5:10000";
    ASSERT_EQ(page_of_trials(*connection, asked)->items.size(), 100u);
  }
  const auto spent = std::chrono::steady_clock::now() - begin;
  // A hundred rows are read in about a millisecond; the bound leaves room for a loaded machine and sanitizers.
  EXPECT_LT(std::chrono::duration_cast<std::chrono::milliseconds>(spent).count() / 10, 50);
}

TEST_F(TrialPageTest, RefusesCursorsItNeverGave) {
  auto connection = open();
  fill(*connection, 3);
  for (const char* cursor : {"x", ":", "1:2:3", "nan:x", "0.5:1", "-:99999999999999999999"}) {
    TrialQuery asked = query(TrialSort::SequenceAscending, 2);
    asked.cursor = cursor;
    const auto page = page_of_trials(*connection, asked);
    ASSERT_FALSE(page) << cursor;
    EXPECT_EQ(page.error().kind, StorageError::Kind::Invalid);
    EXPECT_EQ(page.error().field, "cursor");
  }
  MetricQuery metrics;
  metrics.experiment_id = "e1";
  metrics.cursor = "Q:1:2";
  EXPECT_FALSE(page_of_metrics(*connection, metrics));
  ExperimentQuery experiments;
  experiments.cursor = "abc";
  EXPECT_FALSE(page_of_experiments(*connection, experiments));
}

}  // namespace
}  // namespace lathe::manager
