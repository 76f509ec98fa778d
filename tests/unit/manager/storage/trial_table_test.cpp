#include "storage/trial_table.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "storage/attempt_table.hpp"
#include "storage_fixture.hpp"

namespace lathe::manager {
namespace {

using proto::TrialStatus;

using TrialTableTest = StorageTest;

TEST_F(TrialTableTest, ATrialComesBackAsItWas) {
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

TEST_F(TrialTableTest, AttemptsAndPlacesOfATrialComeBackAsTheyWere) {
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

}  // namespace
}  // namespace lathe::manager
