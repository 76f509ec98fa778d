// Experiments whose trials run on several machines.
#include <filesystem>
#include <fstream>

#include "experiment/ids.hpp"
#include "experiment_fixture.hpp"

namespace lathe::manager {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ExperimentHostsTest : public ExperimentTest {
 protected:
  std::string running_on(const std::string& host, std::size_t number = 0) {
    EXPECT_TRUE(until([&] { return agent_of(host)->started.size() > number; })) << host;
    return agent_of(host)->started.at(number).trial_id;
  }

  TrialRecord trial(const std::string& id, const std::string& attempt) {
    const auto shown = loop_->run(manager_->show_trial(id, AttemptId::parse(attempt)->trial));
    EXPECT_TRUE(shown);
    return shown ? *shown : TrialRecord();
  }

  void succeed(const std::string& host, const std::string& attempt) {
    agent_of(host)->report_final(attempt, 1);
    agent_of(host)->exit(attempt, 0);
  }

  void restart_with_loss_after(std::chrono::milliseconds span) {
    abandon();
    lost_after_ = span;
    begin();
  }
};

TEST_F(ExperimentHostsTest, TrialsAreSpreadAndKnowTheirHosts) {
  const std::string id = create(remote_config({"a", "b", "c"}, 3));
  for (const char* host : {"a", "b", "c"}) {
    const std::string attempt = running_on(host);
    EXPECT_EQ(trial(id, attempt).host, host);
    const proto::StartTrial& start = agent_of(host)->started[0];
    EXPECT_THAT(start.directory,
                ::testing::StartsWith(std::string("/far/") + host + "/experiments/" + id + "/trials/"));
    EXPECT_EQ(start.working_directory, start.directory + "/code");
    succeed(host, attempt);
  }
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_THAT(agent_->started, IsEmpty()) << "this machine is not among them";
}

TEST_F(ExperimentHostsTest, TheTrialsOfALostHostRunAgainElsewhereAndTheAttemptStaysOnRecord) {
  restart_with_loss_after(std::chrono::milliseconds(20));
  const std::string id = create(remote_config({"a", "b"}, 2));
  const std::string on_a = running_on("a");
  const std::string on_b = running_on("b");
  agent_of("a")->report(on_a, proto::MetricType::Periodical, 0, "0.1");
  ASSERT_TRUE(until([&] { return metrics(id).size() == 1; }));
  agent_of("a")->reachable = false;
  hosts_.at("a")->disconnect("a closed the connection");
  ASSERT_TRUE(until([&] { return trial(id, on_a).status == TrialStatus::Waiting; }));
  EXPECT_THAT(trial(id, on_a).wait_reason, HasSubstr("agent on a is not connected: a closed the connection"));
  succeed("b", on_b);
  const std::string again = running_on("b", 1);
  EXPECT_EQ(AttemptId::parse(again)->trial, AttemptId::parse(on_a)->trial);
  EXPECT_EQ(AttemptId::parse(again)->attempt, 1);
  succeed("b", again);
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  const TrialRecord record = trial(id, on_a);
  EXPECT_EQ(record.status, TrialStatus::Succeeded);
  EXPECT_EQ(record.host, "b");
  ASSERT_THAT(record.attempts, SizeIs(1));
  EXPECT_EQ(record.attempts[0].attempt, 0);
  EXPECT_EQ(record.attempts[0].host, "a");
  EXPECT_THAT(record.attempts[0].reason, HasSubstr("host a was lost: a closed the connection"));
  EXPECT_TRUE(record.attempts[0].start_ms);
}

TEST_F(ExperimentHostsTest, AHostThatComesBackEndsWhatRunsElsewhereByNow) {
  restart_with_loss_after(std::chrono::milliseconds(20));
  const std::string id = create(remote_config({"a"}, 1));
  const std::string attempt = running_on("a");
  hosts_.at("a")->disconnect("a switch was restarted");
  ASSERT_TRUE(until([&] { return trial(id, attempt).status == TrialStatus::Waiting; }));
  agent_of("a")->kills_at_once = false;
  hosts_.at("a")->connect();
  ASSERT_TRUE(until([&] { return !agent_of("a")->kills.empty(); }));
  EXPECT_EQ(agent_of("a")->kills[0].trial_id, attempt);
  // What the given up attempt still says counts for nothing.
  agent_of("a")->report_final(attempt, 99);
  agent_of("a")->exit(attempt, 0);
  const std::string again = running_on("a", 1);
  succeed("a", again);
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_EQ(trial(id, attempt).metric, 1);
}

TEST_F(ExperimentHostsTest, JobsOutliveTheMachineThatHasSubmittedThem) {
  restart_with_loss_after(std::chrono::milliseconds(20));
  proto::ExperimentConfig wanted = config(2, 2);
  proto::SlurmService slurm;
  slurm.submit_host.emplace().host = "login";
  wanted.training_services = {slurm};
  const std::string id = create(std::move(wanted));
  const std::string ended = running_on("slurm:login");
  const std::string runs_on = running_on("slurm:login", 1);
  agent_of("slurm:login")->reachable = false;
  hosts_.at("slurm:login")->disconnect("login is rebooted");
  // A trial that is to end is given up, as often as it takes; the other one goes on.
  ASSERT_TRUE(loop_->run(manager_->cancel_trial(id, AttemptId::parse(ended)->trial)));
  ASSERT_TRUE(until([&] { return trial(id, ended).status == TrialStatus::UserCanceled; }));
  EXPECT_EQ(trial(id, runs_on).status, TrialStatus::Running);
  agent_of("slurm:login")->reachable = true;
  hosts_.at("slurm:login")->connect();
  succeed("slurm:login", runs_on);
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_EQ(trial(id, runs_on).attempt, 0);
}

TEST_F(ExperimentHostsTest, WithoutRetriesALostTrialHasFailed) {
  restart_with_loss_after(std::chrono::milliseconds(20));
  proto::ExperimentConfig wanted = remote_config({"a"}, 1);
  wanted.max_retries.lost = 0;
  const std::string id = create(std::move(wanted));
  const std::string attempt = running_on("a");
  hosts_.at("a")->disconnect("gone");
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_EQ(trial(id, attempt).status, TrialStatus::Failed);
  EXPECT_THAT(trial(id, attempt).reason, HasSubstr("lost because host a was lost: gone (maxRetries.lost 0)"));
}

TEST_F(ExperimentHostsTest, ATrialThatFailsByItselfRunsAgainAsOftenAsTheConfigSays) {
  proto::ExperimentConfig wanted = config(1, 1);
  wanted.max_retries.failed = 2;
  agent_->on_start = [](FakeAgent& agent, const proto::StartTrial& start) {
    if (agent.started.size() == 3) agent.report_final(start.trial_id, 0.5);
    agent.exit(start.trial_id, agent.started.size() == 3 ? 0 : 7);
  };
  const std::string id = create(std::move(wanted));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  const TrialRecord record = trial(id, agent_->started[0].trial_id);
  EXPECT_EQ(record.status, TrialStatus::Succeeded);
  EXPECT_EQ(record.attempt, 2);
  ASSERT_THAT(record.attempts, SizeIs(2));
  EXPECT_EQ(record.attempts[1].reason, "exit code 7");
  EXPECT_EQ(log_->built, 1);
}

TEST_F(ExperimentHostsTest, WhatCannotBeBroughtToOneHostRunsOnAnotherAndCountsAsNoLoss) {
  agent_of("a")->refusal = "its files cannot be sent to a: the disk of a is full";
  proto::ExperimentConfig wanted = remote_config({"a", "b"}, 1);
  wanted.max_retries.lost = 0;
  const std::string id = create(std::move(wanted));
  const std::string attempt = running_on("b");
  succeed("b", attempt);
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  const TrialRecord record = trial(id, attempt);
  EXPECT_EQ(record.status, TrialStatus::Succeeded);
  ASSERT_THAT(record.attempts, SizeIs(1));
  EXPECT_EQ(record.attempts[0].reason, "its files cannot be sent to a: the disk of a is full");
}

TEST_F(ExperimentHostsTest, WhatCannotBeBroughtAnywhereWaitsAndSaysWhy) {
  agent_of("a")->refusal = "its files cannot be sent to a: the disk of a is full";
  const std::string id = create(remote_config({"a"}, 1));
  ASSERT_TRUE(until([&] { return trials(id).size() == 1 && trials(id)[0].attempt == 1; }));
  EXPECT_EQ(trials(id)[0].status, TrialStatus::Waiting);
  EXPECT_EQ(trials(id)[0].wait_reason, agent_of("a")->refusal);
}

TEST_F(ExperimentHostsTest, AfterACrashEachHostIsAskedForItsTrials) {
  const std::string id = create(remote_config({"a", "b"}, 2));
  const std::string on_a = running_on("a");
  const std::string on_b = running_on("b");
  abandon();
  agent_of("a")->report_final(on_a, 0.25);
  agent_of("a")->exit(on_a, 0);
  begin();
  ASSERT_TRUE(until([&] { return trial(id, on_a).status == TrialStatus::Succeeded; }));
  EXPECT_EQ(trial(id, on_b).status, TrialStatus::Running);
  succeed("b", on_b);
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_THAT(agent_of("a")->started, SizeIs(1));
  EXPECT_THAT(agent_of("b")->started, SizeIs(1));
}

TEST_F(ExperimentHostsTest, AHostThatIsNotThereAfterACrashLosesItsTrials) {
  const std::string id = create(remote_config({"a", "b"}, 2));
  const std::string on_a = running_on("a");
  const std::string on_b = running_on("b");
  agent_of("a")->reachable = false;
  restart_with_loss_after(std::chrono::milliseconds(20));
  succeed("b", on_b);
  const std::string again = running_on("b", 1);
  EXPECT_EQ(AttemptId::parse(again)->trial, AttemptId::parse(on_a)->trial);
}

TEST_F(ExperimentHostsTest, APasswordIsInNoRecord) {
  proto::ExperimentConfig wanted = remote_config({"a"}, 1);
  std::get<proto::RemoteService>(wanted.training_services[0]).machines[0].address.password = proto::Secret("hunter2");
  const std::string id = create(std::move(wanted));
  running_on("a");
  EXPECT_THAT(to_json(show(id)).dump(), ::testing::Not(HasSubstr("hunter2")));
  abandon();
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_.path())) {
    if (!file.is_regular_file() || file.path().parent_path().filename() == "secrets") continue;
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    EXPECT_EQ(text.find("hunter2"), std::string::npos) << file.path();
  }
}

}  // namespace
}  // namespace lathe::manager
