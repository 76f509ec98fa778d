#include <filesystem>

#include "experiment/ids.hpp"
#include "experiment_fixture.hpp"

namespace lathe::manager {
namespace {

using ::testing::HasSubstr;
using Kind = ServiceError::Kind;

TEST_F(ExperimentTest, RunsItsTrialsAndIsDone) {
  trials_succeed_at_once();
  const std::string id = create(config(3, 20));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  const ExperimentRecord record = show(id);
  EXPECT_EQ(record.counts[static_cast<std::size_t>(TrialStatus::Succeeded)], 20);
  EXPECT_EQ(record.best_metric, 0.2);
  EXPECT_TRUE(record.start_ms && record.end_ms);
  EXPECT_EQ(record.next_sequence, 20);
  const auto rows = trials(id);
  ASSERT_EQ(rows.size(), 20u);
  for (const TrialRecord& row : rows) {
    EXPECT_EQ(row.status, TrialStatus::Succeeded);
    EXPECT_EQ(row.parameters["x"], row.sequence) << "parameters belong to their trial";
    EXPECT_EQ(row.intermediate_count, 1);
    EXPECT_TRUE(row.metric);
  }
  EXPECT_EQ(metrics(id).size(), 40u);
  EXPECT_EQ(agent_->started.size(), 20u);
  EXPECT_TRUE(until([&] { return agent_->spool.empty(); })) << "everything is acknowledged in the end";
}

TEST_F(ExperimentTest, LeavesAFolderThatTellsAll) {
  trials_succeed_at_once();
  const std::string id = create(config(1, 3));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  const ExperimentRecord record = show(id);
  const std::filesystem::path root = record.directory;
  EXPECT_TRUE(std::filesystem::exists(root / "config.json"));
  EXPECT_TRUE(std::filesystem::exists(root / "search_space.json"));
  EXPECT_TRUE(until([&] {  // it follows the commit that made a trial the best one
    std::error_code absent;
    return std::filesystem::read_symlink(root / "best", absent).filename() == *record.best_trial;
  }));
  EXPECT_TRUE(record.config["tuner"]["classArgs"].contains("seed"))
      << record.config.dump() << ": the drawn seed is kept";
}

TEST_F(ExperimentTest, TellsTheTrialEverythingByEnvironmentAndParameterFile) {
  const std::string id = create(config(1, 1));
  running_trial(0);
  const proto::StartTrial& start = agent_->started[0];
  const auto trial = trials(id).at(0);
  EXPECT_EQ(start.command, "true");
  EXPECT_EQ(start.trial_id, id + "/" + trial.id + "/0");
  EXPECT_EQ(start.directory, trial.directory);
  EXPECT_EQ(start.environment.at("NNI_PLATFORM"), "local");
  EXPECT_EQ(start.environment.at("NNI_TRIAL_JOB_ID"), trial.id);
  EXPECT_EQ(start.environment.at("NNI_TRIAL_SEQ_ID"), "0");
  EXPECT_EQ(start.environment.at("NNI_SYS_DIR"), trial.directory);
  EXPECT_EQ(start.environment.count("LATHE_BASELINE"), 0u);
  const auto record = proto::parse_parameter_record(start.parameter_file);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->parameter_id, 0);
  EXPECT_EQ(record->parameters["x"], 0);
}

TEST_F(ExperimentTest, TheTunerHearsOfEveryEnd) {
  agent_->on_start = [](FakeAgent& agent, const proto::StartTrial& start) {
    const std::size_t number = agent.started.size();
    if (number != 2) agent.report_final(start.trial_id, 1.5);
    agent.exit(start.trial_id, number == 1 ? 1 : 0);
  };
  const std::string id = create(config(1, 4));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  const std::map<tuners::TrialId, std::optional<double>> expected{{0, std::nullopt}, {1, std::nullopt}, {2, 1.5}};
  EXPECT_EQ(log_->completed, expected) << "the last end is of no use to anybody any more";
}

TEST_F(ExperimentTest, IsDoneWhenTheTunerHasNothingLeft) {
  trials_succeed_at_once();
  log_->most = 5;
  const std::string id = create(config(2, std::nullopt));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_EQ(trials(id).size(), 5u);
  const auto resumed = loop_->run(manager_->resume(id));
  ASSERT_FALSE(resumed);
  EXPECT_EQ(resumed.error().kind, Kind::Conflict);
}

TEST_F(ExperimentTest, ABrokenTunerIsAnErrorNotASilence) {
  log_->broken = true;
  const std::string id = create(config(2, 5));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Error));
  EXPECT_THAT(show(id).error, HasSubstr("no idea"));
  log_->broken = false;
  trials_succeed_at_once();
  ASSERT_TRUE(loop_->run(manager_->resume(id)));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_TRUE(show(id).error.empty());
}

TEST_F(ExperimentTest, FailuresCarryTheirReasonAndWarnWhenAllAreAlike) {
  agent_->on_start = [](FakeAgent& agent, const proto::StartTrial& start) {
    agent.exit(start.trial_id, 3, "", "Traceback\nKeyError: 'x'\n");
  };
  const std::string id = create(config(2, 6));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  const TrialRecord trial = trials(id).at(0);
  EXPECT_EQ(trial.status, TrialStatus::Failed);
  EXPECT_EQ(trial.reason, "exit code 3");
  EXPECT_EQ(trial.exit_code, 3);
  EXPECT_THAT(trial.stderr_tail, HasSubstr("KeyError"));
  ASSERT_EQ(show(id).warnings.size(), 1u);
  EXPECT_THAT(show(id).warnings[0], HasSubstr("exit code 3"));
}

TEST_F(ExperimentTest, ReportsOfMetricsAreJudged) {
  const std::string id = create(config(4, 4));
  running_trial(3);
  agent_->report_final(running_trial(0), 1);
  agent_->report_final(running_trial(0), 2);
  agent_->report(running_trial(1), proto::MetricType::Final, 0, "{\"default\": NaN}");
  agent_->emit(proto::TrialMetric{running_trial(2), "no json at all", 5});
  for (std::size_t i = 0; i < 4; ++i) agent_->exit(running_trial(i), 0);
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  const auto rows = trials(id);
  EXPECT_EQ(rows[0].metric, 2);
  EXPECT_THAT(rows[0].note, HasSubstr("more than once"));
  EXPECT_FALSE(rows[1].metric);
  EXPECT_THAT(rows[1].note, HasSubstr("no finite number"));
  EXPECT_THAT(rows[2].note, HasSubstr("could not be read"));
  EXPECT_THAT(rows[3].note, HasSubstr("without reporting a final metric"));
  EXPECT_EQ(metrics(id).size(), 2u);
  EXPECT_EQ(show(id).best_metric, 2);
}

TEST_F(ExperimentTest, TheOriginalIsMeasuredBeforeTheFirstTrial) {
  const std::string id = create(compression_config());
  const std::string preparation = running_trial(0);
  EXPECT_EQ(preparation, id + "/baseline/0");
  EXPECT_EQ(show(id).status, ExperimentStatus::Initialized);
  EXPECT_EQ(agent_->started[0].command, "exec '/opt/it'\\''s/lathe-trial' prepare");
  EXPECT_TRUE(std::filesystem::exists(agent_->started[0].environment.at("LATHE_COMPRESSION_CONFIG")));
  agent_->report(preparation, proto::MetricType::Final, 0, R"({"default": 0.9, "macs": 100})");
  agent_->exit(preparation, 0);
  running_trial(1);
  EXPECT_EQ(agent_->started[1].command, "exec '/opt/it'\\''s/lathe-trial' run");
  EXPECT_EQ(agent_->started[0].environment.count("LATHE_WARM_PARENT"), 0u);
  const auto& environment = agent_->started[1].environment;
  EXPECT_THAT(environment.at("LATHE_WARM_PARENT"),
              HasSubstr("'/opt/it'\\''s/lathe-trial' serve '" + environment.at("LATHE_COMPRESSION_CONFIG") + "'"));
  const ExperimentRecord record = show(id);
  EXPECT_EQ(record.status, ExperimentStatus::Running);
  EXPECT_EQ(record.preparation, PreparationState::Done);
  EXPECT_EQ(record.baseline["macs"], 100);
}

TEST_F(ExperimentTest, TrialsOfSeveralThreadsOrOnADeviceAreNotForkedNorThoseOfAConfigThatForbidsIt) {
  using Change = void (*)(proto::CompressionConfig&);
  for (const Change change : {Change([](proto::CompressionConfig& block) { block.threads = 2; }),
                              Change([](proto::CompressionConfig& block) { block.device = "cuda"; }),
                              Change([](proto::CompressionConfig& block) { block.warm = false; })}) {
    proto::ExperimentConfig config = compression_config();
    change(*config.compression);
    const std::size_t before = agent_->started.size();
    (void)create(std::move(config));
    const std::string preparation = running_trial(before);
    agent_->report(preparation, proto::MetricType::Final, 0, R"({"default": 0.9})");
    agent_->exit(preparation, 0);
    const std::string trial = running_trial(before + 1);
    EXPECT_EQ(agent_->started[before + 1].environment.count("LATHE_WARM_PARENT"), 0u);
    agent_->exit(trial, 1);
  }
}

TEST_F(ExperimentTest, AFailedPreparationIsAnErrorBeforeAnyTrial) {
  const std::string id = create(compression_config());
  agent_->exit(running_trial(0), 2, "", "loading\nlathe-trial: error: no layer conv9\n");
  ASSERT_TRUE(until_status(id, ExperimentStatus::Error));
  EXPECT_THAT(show(id).error, HasSubstr("no layer conv9"));
  EXPECT_EQ(trials(id).size(), 0u);
  ASSERT_TRUE(loop_->run(manager_->resume(id)));
  EXPECT_EQ(running_trial(1), id + "/baseline/1");
}

TEST_F(ExperimentTest, StoppingDuringThePreparationEndsIt) {
  const std::string id = create(compression_config());
  running_trial(0);
  ASSERT_TRUE(loop_->run(manager_->stop(id)));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Stopped));
  ASSERT_TRUE(loop_->run(manager_->resume(id)));
  EXPECT_EQ(running_trial(1), id + "/baseline/1");
}

TEST_F(ExperimentTest, WithoutAnAgentATrialSaysWhyItWaits) {
  ASSERT_TRUE(until([&] { return hosts_.at("local")->connected(); }));
  hosts_.at("local")->disconnect("cable pulled");
  const std::string id = create(config(4, 4));
  ASSERT_TRUE(until([&] { return trials(id).size() == 1; }));
  EXPECT_EQ(trials(id)[0].wait_reason, "agent on local is not connected: cable pulled");
  hosts_.at("local")->connect();
  running_trial(3);
}

TEST_F(ExperimentTest, ExperimentsShareTheHostsSlots) {
  abandon();
  max_running_ = 4;
  begin();
  const std::string a = create(config(10, 100));
  running_trial(3);
  const std::string b = create(config(10, 100));
  ASSERT_TRUE(until([&] { return trials(b).size() == 1; }));
  EXPECT_EQ(trials(b)[0].wait_reason, "all 4 trial slots of this machine are in use");
  agent_->exit(running_trial(0), 0);
  agent_->exit(running_trial(1), 0);
  running_trial(5);
  EXPECT_EQ(AttemptId::parse(agent_->started[4].trial_id)->experiment, b);
  EXPECT_EQ(AttemptId::parse(agent_->started[5].trial_id)->experiment, b);
  EXPECT_EQ(agent_->running.size(), 4u);
}

}  // namespace
}  // namespace lathe::manager
