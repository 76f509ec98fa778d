#include "storage/trial_scan.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/attempt_table.hpp"
#include "storage/metric_table.hpp"
#include "storage_fixture.hpp"

namespace lathe::manager {
namespace {

using TrialScanTest = StorageTest;

TEST_F(TrialScanTest, TrialsAttemptsAndMetricsOfAnExperiment) {
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

}  // namespace
}  // namespace lathe::manager
