#include <filesystem>

#include "experiment/ids.hpp"
#include "experiment_fixture.hpp"

namespace lathe::manager {
namespace {

using ::testing::HasSubstr;
using Kind = ServiceError::Kind;

TEST_F(ExperimentTest, RaisingALimitGoesOn) {
  trials_succeed_at_once();
  const std::string id = create(config(1, 2));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_FALSE(loop_->run(manager_->resume(id)));
  ExperimentChange change;
  change.max_trial_number = std::optional<std::int64_t>(5);
  change.trial_concurrency = 2;
  ASSERT_TRUE(loop_->run(manager_->change(id, change)));
  ASSERT_TRUE(until([&] { return trials(id).size() == 5 && show(id).status == ExperimentStatus::Done; }));
  EXPECT_EQ(show(id).config["maxTrialNumber"], 5);
  EXPECT_EQ(log_->completed.size(), 4u) << "the tuner was rebuilt with what is known";
}

TEST_F(ExperimentTest, AChangeIsChecked) {
  const std::string id = create(config(1, 2));
  ExperimentChange change;
  change.trial_concurrency = 0;
  change.max_trial_number = std::optional<std::int64_t>(-1);
  const auto changed = loop_->run(manager_->change(id, change));
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().kind, Kind::Invalid);
  ASSERT_EQ(changed.error().errors.size(), 2u);
  EXPECT_EQ(changed.error().errors[0].field, "trialConcurrency");
  EXPECT_EQ(show(id).config["trialConcurrency"], 1);
}

TEST_F(ExperimentTest, StoppingEndsWhatRunsAndResumingGoesOn) {
  const std::string id = create(config(2, 4));
  running_trial(1);
  ASSERT_TRUE(loop_->run(manager_->add_trial(id, {{"x", 9}})));
  const auto stopping = loop_->run(manager_->stop(id));
  ASSERT_TRUE(stopping);
  ASSERT_TRUE(until_status(id, ExperimentStatus::Stopped));
  for (const TrialRecord& trial : trials(id)) EXPECT_EQ(trial.status, TrialStatus::UserCanceled) << trial.sequence;
  EXPECT_EQ(agent_->kills.size(), 2u);
  EXPECT_EQ(agent_->kills[0].reason, "stop");
  ASSERT_TRUE(loop_->run(manager_->stop(id))) << "stopping twice is no error";
  trials_succeed_at_once();
  ASSERT_TRUE(loop_->run(manager_->resume(id)));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_EQ(trials(id).size(), 4u) << "cancelled trials count, and are not run again";
}

TEST_F(ExperimentTest, ARunningTrialIsCancelledThroughTheAgentAWaitingOneAtOnce) {
  const std::string id = create(config(1, 3));
  running_trial(0);
  const auto waiting = loop_->run(manager_->add_trial(id, {{"x", 7}}));
  ASSERT_TRUE(waiting);
  EXPECT_EQ(waiting->status, TrialStatus::Waiting);
  EXPECT_EQ(waiting->source, "customized");
  EXPECT_EQ(waiting->wait_reason, "the 1 trial of trialConcurrency is running");
  EXPECT_EQ(loop_->run(manager_->cancel_trial(id, waiting->id))->status, TrialStatus::UserCanceled);
  const auto again = loop_->run(manager_->cancel_trial(id, waiting->id));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, Kind::Conflict);
  const std::string first = trials(id).at(0).id;
  ASSERT_TRUE(loop_->run(manager_->cancel_trial(id, first)));
  ASSERT_TRUE(until([&] { return trials(id).at(0).status == TrialStatus::UserCanceled; }));
  EXPECT_EQ(trials(id).at(0).reason, "cancelled by a user");
}

TEST_F(ExperimentTest, CustomizedTrialsGoFirstAndRespectTheLimit) {
  const std::string id = create(config(1, 2));
  const std::string first = running_trial(0);
  ASSERT_TRUE(loop_->run(manager_->add_trial(id, {{"x", 7}})));
  const auto beyond = loop_->run(manager_->add_trial(id, {{"x", 8}}));
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().kind, Kind::Conflict);
  EXPECT_THAT(beyond.error().errors[0].message, HasSubstr("maxTrialNumber 2"));
  EXPECT_EQ(loop_->run(manager_->add_trial(id, 5)).error().kind, Kind::Invalid);
  agent_->exit(first, 0);
  running_trial(1);
  EXPECT_THAT(agent_->started[1].parameter_file, HasSubstr("customized"));
}

TEST_F(ExperimentTest, DeletingNeedsAnEndAndLeavesNothing) {
  const std::string id = create(config(1, 1));
  const std::string trial = running_trial(0);
  const auto refused = loop_->run(manager_->remove(id));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::Conflict);
  const std::filesystem::path directory = show(id).directory;
  agent_->exit(trial, 0);
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  ASSERT_TRUE(loop_->run(manager_->remove(id)));
  EXPECT_FALSE(std::filesystem::exists(directory));
  EXPECT_EQ(loop_->run(manager_->show(id)).error().kind, Kind::NotFound);
  EXPECT_EQ(loop_->run(manager_->remove(id)).error().kind, Kind::NotFound);
}

TEST_F(ExperimentTest, WhatIsNotThereIsNotFound) {
  TrialQuery trials_of_none;
  trials_of_none.experiment_id = "absent";
  EXPECT_EQ(loop_->run(manager_->list_trials(trials_of_none)).error().kind, Kind::NotFound);
  EXPECT_EQ(loop_->run(manager_->stop("absent")).error().kind, Kind::NotFound);
  const std::string id = create(config(1, 1));
  EXPECT_EQ(loop_->run(manager_->show_trial(id, "absent")).error().kind, Kind::NotFound);
  EXPECT_EQ(loop_->run(manager_->cancel_trial(id, "absent")).error().kind, Kind::NotFound);
  TrialQuery too_many;
  too_many.experiment_id = id;
  too_many.limit = 1001;
  EXPECT_EQ(loop_->run(manager_->list_trials(too_many)).error().kind, Kind::Invalid);
}

TEST_F(ExperimentTest, MaxExperimentDurationStartsNothingNewAndLetsTheRunningFinish) {
  proto::ExperimentConfig limited = config(1, std::nullopt);
  limited.max_experiment_duration = std::chrono::seconds(1);
  const std::string id = create(limited);
  const std::string trial = running_trial(0);
  ASSERT_TRUE(until_status(id, ExperimentStatus::NoMoreTrial));
  EXPECT_EQ(agent_->kills.size(), 0u);
  agent_->exit(trial, 0);
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_EQ(trials(id).size(), 1u);
  EXPECT_GE(show(id).run_ms, 1000);
}

TEST_F(ExperimentTest, EventsTellWhatChanged) {
  std::map<std::string, int> heard;
  auto handle = manager_->events().subscribe([&](const Event& event) { ++heard[event.kind]; });
  trials_succeed_at_once();
  const std::string id = create(config(1, 3));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  ASSERT_TRUE(loop_->run(manager_->remove(id)));
  EXPECT_GE(heard["trial"], 6);
  EXPECT_EQ(heard["metric"], 6);
  EXPECT_GE(heard["experiment"], 4);
  EXPECT_EQ(heard["deleted"], 1);
}

TEST_F(ExperimentTest, ADrainedDaemonStartsNothingNewAlsoAfterARestart) {
  const std::string id = create(config(2, 4));
  const std::string first = running_trial(1);
  const auto drained = loop_->run(manager_->set_draining(true));
  ASSERT_TRUE(drained);
  EXPECT_TRUE(drained->draining);
  EXPECT_EQ(drained->running_trials, 2);
  agent_->report_final(first, 1);
  agent_->exit(first, 0);
  ASSERT_TRUE(until([&] { return manager_->daemon_state().running_trials == 1; }));
  ASSERT_TRUE(until([&] { return trials(id).size() == 3; })) << "one is put forward, so that its reason can be seen";
  EXPECT_EQ(trials(id)[2].status, TrialStatus::Waiting);
  ASSERT_TRUE(until([&] { return trials(id)[2].wait_reason == "the daemon is being drained"; }));
  restart();
  EXPECT_TRUE(manager_->daemon_state().draining);
  EXPECT_EQ(agent_->started.size(), 2u);
  const auto resumed = loop_->run(manager_->set_draining(false));
  ASSERT_TRUE(resumed);
  EXPECT_FALSE(resumed->draining);
  ASSERT_TRUE(until([&] { return agent_->started.size() == 3; }));
  restart();
  EXPECT_FALSE(manager_->daemon_state().draining);
}

}  // namespace
}  // namespace lathe::manager
