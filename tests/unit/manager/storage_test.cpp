#include "storage/database.hpp"

#include <chrono>
#include <fstream>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/agent_table.hpp"
#include "storage/attempt_table.hpp"
#include "storage/drained_table.hpp"
#include "storage/experiment_table.hpp"
#include "storage/metric_table.hpp"
#include "storage/schema.hpp"
#include "storage/trial_scan.hpp"
#include "storage/trial_table.hpp"
#include "temp_folder.hpp"

namespace lathe::manager {
namespace {

using proto::TrialStatus;
using ::testing::HasSubstr;

ExperimentRow experiment_row(const std::string& id) {
  ExperimentRow row;
  row.record.id = id;
  row.record.name = "name of " + id;
  row.record.config = {{"a", 1}};
  row.record.warnings = {"one", "two"};
  row.record.directory = "/x/" + id;
  return row;
}

TrialRow trial_row(const std::string& experiment, std::int64_t sequence, TrialStatus status = TrialStatus::Waiting) {
  TrialRow row;
  row.record.experiment_id = experiment;
  row.record.id = "t" + std::to_string(sequence);
  row.record.sequence = sequence;
  row.record.status = status;
  row.record.parameters = {{"x", sequence}};
  row.record.directory = "/x";
  return row;
}

class StorageTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "test.sqlite"; }

  std::unique_ptr<Connection> open() {
    auto connection = std::make_unique<Connection>(file(), Access::ReadWrite);
    const auto migrated = migrate(*connection);
    EXPECT_TRUE(migrated) << migrated.error().message;
    return connection;
  }

  std::int64_t count(Connection& connection, const std::string& sql) {
    Statement statement = connection.prepare(sql);
    return statement.step() ? statement.integer(0) : -1;
  }

  TempFolder folder_;
};

// ---- schema ----

TEST_F(StorageTest, MigratesAnEmptyFileAndLeavesAMigratedOneAlone) {
  open();
  auto connection = open();
  EXPECT_EQ(count(*connection, "PRAGMA user_version"), static_cast<std::int64_t>(migrations().size()));
  EXPECT_EQ(count(*connection, "PRAGMA foreign_keys"), 1);
  EXPECT_EQ(count(*connection, "PRAGMA synchronous"), 2);
}

TEST_F(StorageTest, AppliesOnlyTheMissingSteps) {
  const std::vector<std::string_view> first{"CREATE TABLE a (x)"};
  const std::vector<std::string_view> both{"CREATE TABLE a (x)", "CREATE TABLE b (x)"};
  Connection connection(file(), Access::ReadWrite);
  ASSERT_TRUE(migrate(connection, first));
  ASSERT_TRUE(migrate(connection, both));
  EXPECT_EQ(count(connection, "SELECT count(*) FROM sqlite_master WHERE name IN ('a', 'b')"), 2);
}

TEST_F(StorageTest, AFailingStepLeavesTheOldVersion) {
  const std::vector<std::string_view> first{"CREATE TABLE a (x)"};
  const std::vector<std::string_view> broken{"CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE NONSENSE"};
  Connection connection(file(), Access::ReadWrite);
  ASSERT_TRUE(migrate(connection, first));
  EXPECT_FALSE(migrate(connection, broken));
  EXPECT_EQ(count(connection, "PRAGMA user_version"), 1);
  EXPECT_EQ(count(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'b'"), 0);
}

/// What a daemon of one machine left behind is there after the step to several.
TEST_F(StorageTest, AFirstVersionsDatabaseIsTakenOver) {
  {
    Connection old(file(), Access::ReadWrite);
    ASSERT_TRUE(migrate(old, migrations().first(1)));
    old.execute(
        "INSERT INTO experiments VALUES (NULL, 'e1', 'old', 'RUNNING', '{}', 1, 2, NULL, 3, 2, 2, 0, 0, 'state-1', '', "
        "'', '[]', NULL, NULL, '/x');"
        "INSERT INTO trials VALUES (NULL, 'e1', 0, 't0', 'RUNNING', 'algorithm', '{}', 1, 2, 'state-1', '', 1, 2, "
        "NULL, "
        "NULL, NULL, '', '', '', 7, NULL, '', 0, '/x/t0');");
  }
  const auto connection = open();
  EXPECT_EQ(count(*connection, "PRAGMA user_version"), static_cast<std::int64_t>(migrations().size()));
  const auto rows = live_trials(*connection, "e1");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].record.host, "local");
  EXPECT_TRUE(rows[0].record.gpus.empty());
  EXPECT_EQ(rows[0].losses, 2);
  EXPECT_EQ(rows[0].failures, 0);
  EXPECT_EQ(find_experiment(*connection, "e1")->preparation_host, "local");
  EXPECT_TRUE(drained_hosts(*connection).empty());
}

// ---- attempts and hosts ----

TEST_F(StorageTest, AttemptsAndPlacesOfATrialComeBackAsTheyWere) {
  const auto connection = open();
  insert_experiment(*connection, experiment_row("e1"));
  TrialRow trial = trial_row("e1", 0, TrialStatus::Running);
  trial.record.host = "ana@a:2222";
  trial.record.gpus = {1, 3};
  trial.failures = 2;
  insert_trial(*connection, trial);
  insert_attempt(*connection, {"e1", 0, {1, "b", std::nullopt, 20, "host b was lost"}});
  insert_attempt(*connection, {"e1", 0, {0, "a", 5, 10, "exit code 1"}});
  const auto found = find_trial(*connection, "e1", "t0");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->host, "ana@a:2222");
  EXPECT_EQ(found->gpus, (std::vector<std::int64_t>{1, 3}));
  ASSERT_EQ(found->attempts.size(), 2u);
  EXPECT_EQ(found->attempts[0].host, "a");
  EXPECT_EQ(found->attempts[0].start_ms, 5);
  EXPECT_EQ(found->attempts[1].reason, "host b was lost");
  EXPECT_FALSE(found->attempts[1].start_ms);
  EXPECT_EQ(live_trials(*connection, "e1").at(0).failures, 2);
  delete_experiment(*connection, "e1");
  EXPECT_TRUE(attempts_of(*connection, "e1", 0).empty());
}

TEST_F(StorageTest, DrainedHostsAreRemembered) {
  store_drained(*open(), "a", true);
  store_drained(*open(), "a", true);
  store_drained(*open(), "b", true);
  store_drained(*open(), "b", false);
  EXPECT_EQ(drained_hosts(*open()), std::set<std::string>{"a"});
}

TEST_F(StorageTest, RefusesADatabaseOfANewerVersion) {
  open()->execute("PRAGMA user_version = 1000");
  Connection connection(file(), Access::ReadWrite);
  const auto migrated = migrate(connection);
  ASSERT_FALSE(migrated);
  EXPECT_THAT(migrated.error().message, HasSubstr("version 1000"));
}

TEST_F(StorageTest, RefusesAnotherProgramsDatabase) {
  Connection(file(), Access::ReadWrite).execute("CREATE TABLE theirs (x)");
  Connection connection(file(), Access::ReadWrite);
  const auto migrated = migrate(connection);
  ASSERT_FALSE(migrated);
  EXPECT_THAT(migrated.error().message, HasSubstr("not one of lathed"));
}

TEST_F(StorageTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(file()) << std::string(5000, 'x');
  boost::asio::thread_pool pool(1);
  const auto database = Database::open(file(), pool);
  ASSERT_FALSE(database);
  EXPECT_THAT(database.error().message, HasSubstr("not a database"));
}

// ---- rows ----

TEST_F(StorageTest, AnExperimentComesBackAsItWas) {
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

TEST_F(StorageTest, ATrialComesBackAsItWas) {
  auto connection = open();
  insert_experiment(*connection, experiment_row("e1"));
  TrialRow row = trial_row("e1", 0);
  insert_trial(*connection, row);
  row.record.status = TrialStatus::Running;
  row.record.attempt = 3;
  row.record.pid = 77;
  row.record.stderr_tail = "bad \xff utf8 \0 inside";
  row.kill_reason = "user";
  row.agent = "state";
  row.losses = 2;
  update_trial(*connection, row);
  const auto live = live_trials(*connection, "e1");
  ASSERT_EQ(live.size(), 1u);
  EXPECT_EQ(live[0].record.attempt, 3);
  EXPECT_EQ(live[0].record.pid, 77);
  EXPECT_EQ(live[0].kill_reason, "user");
  EXPECT_EQ(live[0].agent, "state");
  EXPECT_EQ(live[0].losses, 2);
  EXPECT_EQ(live[0].record.parameters["x"], 0);
  EXPECT_TRUE(find_trial(*connection, "e1", "t0"));
  EXPECT_FALSE(find_trial(*connection, "e1", "t1"));
}

TEST_F(StorageTest, CountsFollowEveryChange) {
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

TEST_F(StorageTest, DeletingAnExperimentTakesEverythingAlong) {
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

TEST_F(StorageTest, ARepeatedPeriodicalMetricIsStoredOnceAndTheLastFinalWins) {
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

TEST_F(StorageTest, ProgressNeverGoesBack) {
  auto connection = open();
  insert_experiment(*connection, experiment_row("e1"));
  store_progress(*connection, "e1", "s", 7);
  store_progress(*connection, "e1", "s", 5);
  store_progress(*connection, "e1", "other", 1);
  EXPECT_EQ(find_progress(*connection, "e1"), (AgentProgress{{"s", 7}, {"other", 1}}));
}

// ---- pages ----

class PageTest : public StorageTest {
 protected:
  void fill(Connection& connection, int trials) {
    Transaction transaction(connection);
    insert_experiment(connection, experiment_row("e1"));
    for (int i = 0; i < trials; ++i) {
      TrialRow row = trial_row("e1", i, i % 3 == 0 ? TrialStatus::Failed : TrialStatus::Succeeded);
      if (i % 3 != 0) row.record.metric = (i * 37) % 100 / 7.0;
      insert_trial(connection, row);
    }
    transaction.commit();
  }

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

TEST_F(PageTest, EveryOrderVisitsEachTrialOnceAndInOrder) {
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

TEST_F(PageTest, FiltersByStatus) {
  auto connection = open();
  fill(*connection, 30);
  TrialQuery failed = query(TrialSort::SequenceDescending, 4);
  failed.statuses = {TrialStatus::Failed, TrialStatus::Failed};
  EXPECT_EQ(walk(*connection, failed), (std::vector<std::int64_t>{27, 24, 21, 18, 15, 12, 9, 6, 3, 0}));
}

TEST_F(PageTest, StaysExactWhileTrialsAreAdded) {
  auto connection = open();
  fill(*connection, 10);
  TrialQuery asked = query(TrialSort::SequenceAscending, 6);
  const auto first = page_of_trials(*connection, asked);
  ASSERT_TRUE(first);
  for (int i = 10; i < 14; ++i) insert_trial(*connection, trial_row("e1", i));
  asked.cursor = first->next_cursor;
  EXPECT_EQ(walk(*connection, asked), (std::vector<std::int64_t>{6, 7, 8, 9, 10, 11, 12, 13}));
}

TEST_F(PageTest, NeverScansNorSorts) {
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

TEST_F(PageTest, APageCostsTheSameHoweverManyTrialsThereAre) {
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

TEST_F(PageTest, RefusesCursorsItNeverGave) {
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

TEST_F(PageTest, MetricsPageWithinATrialAndAcrossTheExperiment) {
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

TEST_F(PageTest, ExperimentsNewestFirst) {
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

TEST_F(PageTest, ExperimentsAreSearchedAndSorted) {
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

TEST_F(PageTest, ScansTrialsAttemptsAndMetrics) {
  auto connection = open();
  fill(*connection, 5);
  std::vector<std::int64_t> seen;
  scan_trials(*connection, "e1", [&](const TrialRecord& trial) {
    EXPECT_EQ(trial.id, "t" + std::to_string(trial.sequence));
    EXPECT_EQ(trial.parameters.at("x"), trial.sequence);
    seen.push_back(trial.sequence);
  });
  EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  const auto found = find_trials(*connection, "e1", {3, 99, 0});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].id, "t3");
  EXPECT_EQ(found[1].directory, "/x");
  for (const std::int64_t trial : {1, 0}) {
    for (const std::int64_t attempt : {0, 1}) insert_attempt(*connection, {"e1", trial, {attempt, "a", 1, 2, "lost"}});
  }
  const auto attempts = attempts_of_experiment(*connection, "e1", 3);
  ASSERT_EQ(attempts.size(), 3u);
  EXPECT_EQ(attempts[0].trial, 0);
  EXPECT_EQ(attempts[0].record.attempt, 1);
  EXPECT_EQ(attempts[2].trial, 1);
  for (const std::int64_t trial : {0, 2}) {
    for (const std::int64_t point : {1, 0})
      store_metric(*connection, {"e1", trial, 0, {"", proto::MetricType::Periodical, point, 1, point}});
    store_metric(*connection, {"e1", trial, 0, {"", proto::MetricType::Final, 0, 1, 9}});
  }
  std::string reports;
  scan_metrics(*connection, "e1", {2, 0, 4}, [&](std::int64_t trial, const MetricRecord& metric) {
    reports += std::to_string(trial) + ":" + std::to_string(metric.sequence) + " ";
  });
  EXPECT_EQ(reports, "2:0 2:1 0:0 0:1 ");
}

// ---- the write queue ----

class WriteQueueTest : public StorageTest {
 protected:
  /// A job that holds the storage thread until it is let through, so that others queue up behind it.
  class Gate {
   public:
    WriteQueue::Job job() {
      return [this, opened = opened_](Connection&) {
        reached_.set_value();
        opened.wait();
      };
    }
    void wait_until_reached() { reached_.get_future().wait(); }
    void open() { open_.set_value(); }

   private:
    std::promise<void> reached_;
    std::promise<void> open_;
    std::shared_future<void> opened_ = open_.get_future().share();
  };

  static WriteQueue::Job add_experiment(const std::string& id) {
    return [id](Connection& connection) { insert_experiment(connection, experiment_row(id)); };
  }

  static std::future<StorageResult<void>> push(WriteQueue& queue, WriteQueue::Job job) {
    auto promise = std::make_shared<std::promise<StorageResult<void>>>();
    auto future = promise->get_future();
    queue.push(std::move(job), [promise](StorageResult<void> result) { promise->set_value(std::move(result)); });
    return future;
  }
};

TEST_F(WriteQueueTest, WhatWaitsTogetherIsCommittedTogether) {
  WriteQueue queue(open());
  Gate gate;
  auto first = push(queue, gate.job());
  gate.wait_until_reached();
  std::vector<std::future<StorageResult<void>>> others;
  for (int i = 0; i < 20; ++i) others.push_back(push(queue, add_experiment("e" + std::to_string(i))));
  gate.open();
  EXPECT_TRUE(first.get());
  for (auto& other : others) EXPECT_TRUE(other.get());
  EXPECT_EQ(queue.commits(), 2u);
}

TEST_F(WriteQueueTest, AFailingJobTakesNoOtherDown) {
  WriteQueue queue(open());
  Gate gate;
  auto first = push(queue, gate.job());
  gate.wait_until_reached();
  auto good = push(queue, add_experiment("same"));
  auto duplicate = push(queue, add_experiment("same"));
  auto throwing = push(queue, [](Connection& connection) {
    insert_experiment(connection, experiment_row("half"));
    throw std::runtime_error("no more");
  });
  auto last = push(queue, add_experiment("last"));
  gate.open();
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(good.get());
  const auto refused = duplicate.get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, StorageError::Kind::Refused);
  EXPECT_THAT(throwing.get().error().message, HasSubstr("no more"));
  EXPECT_TRUE(last.get());
  Connection reader(file(), Access::ReadOnly);
  EXPECT_EQ(count(reader, "SELECT count(*) FROM experiments WHERE id IN ('same', 'last')"), 2);
  EXPECT_EQ(count(reader, "SELECT count(*) FROM experiments WHERE id = 'half'"), 0) << "half a job must not stay";
}

TEST_F(WriteQueueTest, AFullDiskIsUnavailableForTheLargeJobOnlyAndPasses) {
  auto connection = open();
  connection->execute("PRAGMA max_page_count = 40");
  WriteQueue queue(std::move(connection));
  const auto large = [](Connection& target) {
    ExperimentRow row = experiment_row("large");
    row.record.error = std::string(2'000'000, 'x');
    insert_experiment(target, row);
  };
  Gate gate;
  auto first = push(queue, gate.job());
  gate.wait_until_reached();
  auto before = push(queue, add_experiment("before"));
  auto full = push(queue, large);
  auto after = push(queue, add_experiment("after"));
  gate.open();
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(before.get());
  EXPECT_TRUE(after.get());
  const auto refused = full.get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, StorageError::Kind::Unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("disk full"));
  EXPECT_TRUE(push(queue, [](Connection& target) { target.execute("PRAGMA max_page_count = 100000"); }).get());
  EXPECT_TRUE(push(queue, large).get());
}

TEST_F(WriteQueueTest, CommitsWhatIsQueuedBeforeItEnds) {
  {
    WriteQueue queue(open());
    for (int i = 0; i < 10; ++i) queue.push(add_experiment("e" + std::to_string(i)), [](StorageResult<void>) {});
  }
  Connection reader(file(), Access::ReadOnly);
  EXPECT_EQ(count(reader, "SELECT count(*) FROM experiments"), 10);
}

}  // namespace
}  // namespace lathe::manager
