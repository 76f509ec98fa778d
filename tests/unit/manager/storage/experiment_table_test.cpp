#include "storage/experiment_table.hpp"

#include <gtest/gtest.h>

#include "storage/agent_table.hpp"
#include "storage/metric_table.hpp"
#include "storage_fixture.hpp"

namespace lathe::manager {
namespace {

using proto::TrialStatus;

using ExperimentTableTest = StorageTest;

TEST_F(ExperimentTableTest, AnExperimentComesBackAsItWas) {
  auto connection = open();
  ExperimentRow row = experiment_row("e1");
  insert_experiment(*connection, row);
  row.record.status = proto::ExperimentStatus::Done;
  row.record.start_ms = 5;
  row.record.end_ms = 9;
  row.record.run_ms = 4;
  row.record.best_trial = "t1";
  row.record.best_metric = 0.1 + 0.2;
  row.record.baseline = {{"default", 0.5}};
  row.record.preparation = PreparationState::Done;
  row.preparation_attempt = 2;
  row.preparation_agent = "s";
  row.record.config = nullptr;
  update_experiment(*connection, row);
  const auto found = find_experiment(*connection, "e1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->record.config, (nlohmann::ordered_json{{"a", 1}})) << "null config means unchanged";
  EXPECT_EQ(found->record.warnings, row.record.warnings);
  EXPECT_EQ(found->record.best_metric, 0.1 + 0.2);
  EXPECT_EQ(found->record.end_ms, 9);
  EXPECT_EQ(found->record.status, proto::ExperimentStatus::Done);
  EXPECT_EQ(found->record.preparation, PreparationState::Done);
  EXPECT_EQ(found->preparation_attempt, 2);
  EXPECT_FALSE(find_experiment(*connection, "e2"));
}

TEST_F(ExperimentTableTest, CountsFollowEveryChange) {
  auto connection = open();
  insert_experiment(*connection, experiment_row("e1"));
  for (int i = 0; i < 3; ++i) insert_trial(*connection, trial_row("e1", i));
  update_trial(*connection, trial_row("e1", 1, TrialStatus::Running));
  update_trial(*connection, trial_row("e1", 2, TrialStatus::Running));
  update_trial(*connection, trial_row("e1", 2, TrialStatus::Succeeded));
  const TrialCounts counts = find_experiment(*connection, "e1")->record.counts;
  EXPECT_EQ(counts[static_cast<std::size_t>(TrialStatus::Waiting)], 1);
  EXPECT_EQ(counts[static_cast<std::size_t>(TrialStatus::Running)], 1);
  EXPECT_EQ(counts[static_cast<std::size_t>(TrialStatus::Succeeded)], 1);
}

TEST_F(ExperimentTableTest, DeletingAnExperimentTakesEverythingAlong) {
  auto connection = open();
  insert_experiment(*connection, experiment_row("e1"));
  insert_trial(*connection, trial_row("e1", 0));
  store_metric(*connection, {"e1", 0, 0, {"t0", proto::MetricType::Final, 0, 1, 0.5}});
  store_progress(*connection, "e1", "s", 4);
  delete_experiment(*connection, "e1");
  for (const char* table : {"trials", "metrics", "agents", "trial_counts"}) {
    EXPECT_EQ(count(*connection, std::string("SELECT count(*) FROM ") + table), 0) << table;
  }
}

TEST_F(ExperimentTableTest, ExperimentsNewestFirst) {
  auto connection = open();
  for (const char* id : {"a", "b", "c"}) insert_experiment(*connection, experiment_row(id));
  ExperimentQuery query;
  query.limit = 2;
  const auto first = page_of_experiments(*connection, query);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->items.size(), 2u);
  EXPECT_EQ(first->items[0].id, "c");
  query.cursor = first->next_cursor;
  const auto second = page_of_experiments(*connection, query);
  ASSERT_EQ(second->items.size(), 1u);
  EXPECT_EQ(second->items[0].id, "a");
  EXPECT_TRUE(second->next_cursor.empty());
}

TEST_F(ExperimentTableTest, ExperimentsAreSearchedAndSorted) {
  auto connection = open();
  int number = 0;
  for (const char* name : {"MNIST again", "cifar", "mnist", "Cifar", "50% off"}) {
    ExperimentRow row = experiment_row("exp" + std::to_string(number++));
    row.record.name = name;
    row.record.status = number % 2 == 0 ? proto::ExperimentStatus::Running : proto::ExperimentStatus::Done;
    row.record.config = {{"trainingService", {{"platform", number == 1 ? "slurm" : "local"}}}};
    insert_experiment(*connection, row);
  }
  const auto ids = [&](ExperimentQuery query) {
    std::string found;
    query.limit = 2;
    for (int pages = 0; pages < 5; ++pages) {
      const auto page = page_of_experiments(*connection, query);
      EXPECT_TRUE(page);
      for (const ExperimentRecord& record : page->items) found += record.id.substr(3);
      query.cursor = page->next_cursor;
      if (query.cursor.empty()) break;
    }
    return found;
  };
  ExperimentQuery query;
  EXPECT_EQ(ids(query), "43210");
  query.sort = ExperimentSort::Oldest;
  EXPECT_EQ(ids(query), "01234");
  query.sort = ExperimentSort::Name;
  EXPECT_EQ(ids(query), "43120") << "those of the same name: the newest first";
  query.sort = ExperimentSort::Status;
  EXPECT_EQ(ids(query), "42031");
  query.search = "mnist";
  EXPECT_EQ(ids(query), "20");
  query.search = "%";
  EXPECT_EQ(ids(query), "4") << "no pattern";
  query.search = "EXP3";
  EXPECT_EQ(ids(query), "3");
  query.search.clear();
  query.platform = "slurm";
  EXPECT_EQ(ids(query), "0");
  query.cursor = "999";
  query.sort = ExperimentSort::Name;
  EXPECT_TRUE(page_of_experiments(*connection, query)->items.empty());
}

}  // namespace
}  // namespace lathe::manager
