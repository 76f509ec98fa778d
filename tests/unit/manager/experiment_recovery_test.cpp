#include <filesystem>
#include <fstream>

#include "experiment/ids.hpp"
#include "experiment_fixture.hpp"

namespace lathe::manager {
namespace {

using ::testing::HasSubstr;
using Kind = ServiceError::Kind;

TEST_F(ExperimentTest, AfterACrashRunningTrialsAreAdoptedAndMissedEventsCountOnce) {
  const std::string id = create(config(2, 4));
  const std::string first = running_trial(0);
  const std::string second = running_trial(1);
  agent_->report(first, proto::MetricType::Periodical, 0, "0.1");
  ASSERT_TRUE(until([&] { return metrics(id).size() == 1; }));
  abandon();
  agent_->report(first, proto::MetricType::Periodical, 1, "0.2");
  agent_->report_final(first, 0.3);
  agent_->exit(first, 0);
  begin();
  running_trial(2);
  ASSERT_TRUE(until([&] { return trials(id).at(0).status == TrialStatus::Succeeded; }));
  EXPECT_EQ(agent_->started.size(), 3u) << "the second one was adopted, not started again";
  EXPECT_TRUE(agent_->running.contains(second));
  EXPECT_EQ(trials(id).at(0).intermediate_count, 2);
  EXPECT_EQ(metrics(id).size(), 3u);
  EXPECT_EQ(log_->completed.at(0), 0.3);
  EXPECT_TRUE(log_->pending.contains(1));
}

TEST_F(ExperimentTest, EventsWhoseAcknowledgementWasLostCountOnce) {
  trials_succeed_at_once();
  const std::string id = create(config(2, 6));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  const auto before = trials(id);
  // The agent believes that nothing was acknowledged and tells everything once more, under another trial's nose.
  std::uint64_t sequence = 0;
  agent_->on_start = nullptr;
  ExperimentChange change;
  change.max_trial_number = std::optional<std::int64_t>(7);
  ASSERT_TRUE(loop_->run(manager_->change(id, change)));
  const std::string last = running_trial(6);
  abandon();
  agent_->spool.clear();
  for (const proto::StartTrial& start : agent_->started) {
    if (start.trial_id == last) continue;
    agent_->spool.push_back({++sequence, proto::TrialStarted{start.trial_id, 1, 1}});
    agent_->spool.push_back({++sequence, proto::TrialExited{start.trial_id, 1, {}, "", false, "", "", 1}});
  }
  ASSERT_LT(sequence, agent_->sequence);
  begin();
  ASSERT_TRUE(until([&] { return agent_->spool.empty(); })) << "repeats are acknowledged again";
  const auto after = trials(id);
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after[i].status, TrialStatus::Succeeded);
    EXPECT_EQ(after[i].metric, before[i].metric);
  }
  EXPECT_EQ(show(id).counts[static_cast<std::size_t>(TrialStatus::Succeeded)], 6);
}

TEST_F(ExperimentTest, AStartThatNeverReachedTheAgentIsSentAgain) {
  const std::string id = create(config(1, 1));
  const std::string trial = running_trial(0);
  ASSERT_TRUE(until([&] { return agent_->spool.empty(); }));
  abandon();
  agent_->running.clear();
  agent_->started.clear();
  auto fresh = std::make_shared<FakeAgent>();
  fresh->state_id = agent_->state_id;
  fresh->sequence = agent_->sequence;
  agent_ = fresh;
  begin();
  EXPECT_EQ(running_trial(0), trial) << "the same attempt";
  EXPECT_EQ(trials(id).at(0).attempt, 0);
}

TEST_F(ExperimentTest, ANewAgentStateMeansANewAttempt) {
  const std::string id = create(config(1, 1));
  const std::string trial = running_trial(0);
  agent_->report(trial, proto::MetricType::Periodical, 0, "0.1");
  ASSERT_TRUE(until([&] { return agent_->spool.empty(); }));
  abandon();
  agent_->forget_everything("state-2");
  begin();
  EXPECT_THAT(running_trial(1), ::testing::EndsWith("/1"));
  EXPECT_EQ(trials(id).at(0).attempt, 1);
  EXPECT_EQ(metrics(id).size(), 0u) << "what the lost attempt reported is not mixed with the next one's";
  agent_->exit(running_trial(1), 0);
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
}

TEST_F(ExperimentTest, ALostTrialRunsAgainAndIsGivenUpInTheEnd) {
  const std::string id = create(config(1, 1));
  for (std::size_t i = 0; i < 2; ++i) agent_->lose(running_trial(i));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_EQ(trials(id).at(0).status, TrialStatus::Failed);
  EXPECT_THAT(trials(id).at(0).reason, HasSubstr("lost 2 times"));
}

TEST_F(ExperimentTest, AStopSurvivesACrash) {
  agent_->kills_at_once = false;
  const std::string id = create(config(1, 5));
  const std::string trial = running_trial(0);
  ASSERT_TRUE(loop_->run(manager_->stop(id)));
  abandon();
  agent_->kills_at_once = true;
  agent_->kills.clear();
  begin();
  ASSERT_TRUE(until_status(id, ExperimentStatus::Stopped));
  EXPECT_EQ(agent_->kills.at(0).trial_id, trial);
  EXPECT_EQ(trials(id).at(0).status, TrialStatus::UserCanceled);
}

TEST_F(ExperimentTest, WhatRunsForNobodyIsEnded) {
  abandon();
  agent_->running["gone/abcde/0"] = {};
  begin();
  ASSERT_TRUE(until([&] { return !agent_->kills.empty(); }));
  EXPECT_EQ(agent_->kills[0].trial_id, "gone/abcde/0");
}

TEST_F(ExperimentTest, ManyCrashesLoseAndRepeatNothing) {
  const std::string id = create(config(4, 40));
  std::size_t ended = 0;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i, ++ended) {
      const std::string trial = running_trial(ended);
      agent_->report(trial, proto::MetricType::Periodical, 0, "1");
      agent_->report_final(trial, static_cast<double>(ended));
      agent_->exit(trial, 0);
      // Some are killed with the turn half done: a few steps of the loop, then nothing.
      if (i == 1)
        for (int step = 0; step < round; ++step) loop_->context.poll_one();
    }
    restart();
  }
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_EQ(agent_->started.size(), 40u);
  EXPECT_EQ(show(id).counts[static_cast<std::size_t>(TrialStatus::Succeeded)], 40);
  EXPECT_EQ(metrics(id).size(), 80u);
}

TEST_F(ExperimentTest, ACleanStopPutsTrialsBackAndTheNextDaemonRunsThemAgain) {
  const std::string id = create(config(2, 2));
  running_trial(1);
  loop_->run(manager_->shutdown(false));
  EXPECT_TRUE(agent_->running.empty());
  EXPECT_EQ(loop_->run(manager_->stop(id)).error().kind, Kind::Unavailable);
  restart();
  EXPECT_THAT(running_trial(2), ::testing::EndsWith("/1"));
  running_trial(3);
  EXPECT_EQ(trials(id).size(), 2u);
  EXPECT_EQ(show(id).status, ExperimentStatus::NoMoreTrial);
}

TEST_F(ExperimentTest, AStopThatKeepsTrialsLeavesThemRunning) {
  const std::string id = create(config(2, 2));
  running_trial(1);
  loop_->run(manager_->shutdown(true));
  EXPECT_EQ(agent_->running.size(), 2u);
  restart();
  for (std::size_t i = 0; i < 2; ++i) agent_->exit(running_trial(i), 0);
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_EQ(agent_->started.size(), 2u);
}

TEST_F(ExperimentTest, ASecondDaemonInTheFolderIsRefused) {
  ExperimentManager second(loop_->context.get_executor(), options());
  const auto started = loop_->run(second.start());
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("in use by another lathed"));
}

TEST_F(ExperimentTest, AFullDiskPausesAndGoesOnWhenThereIsSpace) {
  const std::string id = create(config(1, 3));
  const std::string trial = running_trial(0);
  ASSERT_TRUE(until([&] { return agent_->spool.empty(); }));
  abandon();
  max_pages_ = 1;
  begin();
  const auto refused = loop_->run(manager_->add_trial(id, {{"x", std::string(300'000, 'x')}}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::Unavailable);
  EXPECT_THAT(refused.error().errors[0].message, HasSubstr("disk full"));
  agent_->report(trial, proto::MetricType::Periodical, 0, "\"" + std::string(300'000, 'y') + "\"");
  agent_->exit(trial, 0);
  const auto again = loop_->run(manager_->add_trial(id, {{"x", 1}}));
  ASSERT_FALSE(again) << "the turn has the large metric in it too";
  EXPECT_EQ(again.error().kind, Kind::Unavailable);
  EXPECT_EQ(show(id).status, ExperimentStatus::Running) << "the daemon lives on";
  EXPECT_EQ(agent_->started.size(), 1u) << "nothing is started whose intent is not on disk";
  EXPECT_FALSE(agent_->spool.empty()) << "nothing is acknowledged that is not on disk";
  abandon();
  max_pages_.reset();
  begin();
  running_trial(1);
  EXPECT_EQ(trials(id).at(0).status, TrialStatus::Succeeded);
  EXPECT_EQ(trials(id).at(0).intermediate_count, 1);
}

}  // namespace
}  // namespace lathe::manager
