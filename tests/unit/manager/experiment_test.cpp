// The manager as a whole, over a real database, with an agent and a tuner in memory.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiment/ids.hpp"
#include "experiment/manager.hpp"
#include "fake_agent.hpp"
#include "fake_tuner.hpp"
#include "loop.hpp"
#include "temp_folder.hpp"

namespace lathe::manager {
namespace {

using proto::ExperimentStatus;
using proto::TrialStatus;
using ::testing::HasSubstr;
using Kind = ServiceError::Kind;

class ExperimentTest : public ::testing::Test {
 protected:
  ExperimentTest() { begin(); }
  ~ExperimentTest() override { abandon(); }

  ManagerOptions options() {
    ManagerOptions options;
    options.data_dir = folder_.path() / "data";
    options.trial_program = "/opt/it's/lathe-trial";
    options.max_running = max_running_;
    options.max_database_pages = max_pages_;
    options.trial_grace = std::chrono::milliseconds(100);
    options.make_host = [this](boost::asio::any_io_executor executor) {
      auto host = std::make_unique<FakeHost>(std::move(executor), agent_);
      host_ = host.get();
      return host;
    };
    options.make_tuner = [log = log_](const proto::TunerConfig& config, const proto::SearchSpace&) {
      return std::make_unique<FakeTuner>(log, config);
    };
    return options;
  }

  void begin() {
    loop_ = std::make_unique<Loop>();
    manager_ = std::make_unique<ExperimentManager>(loop_->context.get_executor(), options());
    const auto started = loop_->run(manager_->start());
    ASSERT_TRUE(started) << started.error().message;
  }

  /// As kill -9: nothing is written any more.
  void abandon() {
    if (host_ != nullptr) host_->disconnect("killed");
    host_ = nullptr;
    manager_.reset();
    loop_.reset();
  }

  void restart() {
    abandon();
    begin();
  }

  proto::ExperimentConfig config(std::int64_t concurrency, std::optional<std::int64_t> trials) {
    proto::ExperimentConfig config;
    config.experiment_name = "test";
    config.search_space.parameters.push_back({"x", proto::Uniform{0, 1, false, {}}});
    config.trial_command = "true";
    config.trial_code_directory = folder_.path();
    config.trial_concurrency = concurrency;
    config.max_trial_number = trials;
    config.tuner.optimize_mode = proto::OptimizeMode::Maximize;
    return config;
  }

  proto::ExperimentConfig compression_config() {
    proto::ExperimentConfig result = config(1, 2);
    result.trial_command.reset();
    proto::CompressionConfig compression;
    compression.model = folder_.path() / "model.pt";
    compression.input_shape = {1, 1, 8, 8};
    const proto::IdxFiles files{folder_.path() / "images", folder_.path() / "labels"};
    compression.data.train.source = files;
    compression.data.test.source = files;
    result.compression = compression;
    return result;
  }

  std::string create(proto::ExperimentConfig wanted) {
    const auto created = loop_->run(manager_->create(std::move(wanted)));
    EXPECT_TRUE(created) << proto::to_string(created.error().errors);
    return created ? created->id : std::string();
  }

  ExperimentRecord show(const std::string& id) {
    const auto shown = loop_->run(manager_->show(id));
    EXPECT_TRUE(shown);
    return shown ? *shown : ExperimentRecord();
  }

  std::vector<TrialRecord> trials(const std::string& id) {
    TrialQuery query;
    query.experiment_id = id;
    query.limit = 1000;
    const auto page = loop_->run(manager_->list_trials(query));
    EXPECT_TRUE(page);
    return page ? page->items : std::vector<TrialRecord>();
  }

  std::vector<MetricRecord> metrics(const std::string& id) {
    MetricQuery query;
    query.experiment_id = id;
    const auto page = loop_->run(manager_->list_metrics(query));
    EXPECT_TRUE(page);
    return page ? page->items : std::vector<MetricRecord>();
  }

  ::testing::AssertionResult until(const std::function<bool()>& condition) {
    if (loop_->until(condition)) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "it does not happen";
  }

  ::testing::AssertionResult until_status(const std::string& id, ExperimentStatus status) {
    const bool reached = loop_->until([&] { return show(id).status == status; });
    if (reached) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "it is " << proto::to_string(show(id).status);
  }

  /// Every trial reports a metric and ends at once.
  void trials_succeed_at_once() {
    agent_->on_start = [](FakeAgent& agent, const proto::StartTrial& start) {
      agent.report(start.trial_id, proto::MetricType::Periodical, 0, "0.5");
      agent.report_final(start.trial_id, static_cast<double>(agent.started.size()) / 100.0);
      agent.exit(start.trial_id, 0);
    };
  }

  std::string running_trial(std::size_t number) {
    EXPECT_TRUE(until([&] { return agent_->started.size() > number; }));
    return agent_->started.at(number).trial_id;
  }

  TempFolder folder_;
  std::optional<std::int64_t> max_running_;
  std::optional<std::int64_t> max_pages_;
  std::shared_ptr<FakeAgent> agent_ = std::make_shared<FakeAgent>();
  std::shared_ptr<TunerLog> log_ = std::make_shared<TunerLog>();
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<ExperimentManager> manager_;
  FakeHost* host_ = nullptr;
};

// ---- a whole life ----

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

// ---- what people ask ----

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

// ---- preparation ----

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
  const ExperimentRecord record = show(id);
  EXPECT_EQ(record.status, ExperimentStatus::Running);
  EXPECT_EQ(record.preparation, PreparationState::Done);
  EXPECT_EQ(record.baseline["macs"], 100);
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

// ---- hosts ----

TEST_F(ExperimentTest, WithoutAnAgentATrialSaysWhyItWaits) {
  ASSERT_TRUE(until([&] { return host_->connected(); }));
  host_->disconnect("cable pulled");
  const std::string id = create(config(4, 4));
  ASSERT_TRUE(until([&] { return trials(id).size() == 1; }));
  EXPECT_EQ(trials(id)[0].wait_reason, "agent on local is not connected: cable pulled");
  host_->connect();
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
  EXPECT_THAT(trials(b)[0].wait_reason, HasSubstr("other experiments"));
  agent_->exit(running_trial(0), 0);
  agent_->exit(running_trial(1), 0);
  running_trial(5);
  EXPECT_EQ(AttemptId::parse(agent_->started[4].trial_id)->experiment, b);
  EXPECT_EQ(AttemptId::parse(agent_->started[5].trial_id)->experiment, b);
  EXPECT_EQ(agent_->running.size(), 4u);
}

// ---- crashes ----

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
  for (std::size_t i = 0; i < 3; ++i) agent_->lose(running_trial(i));
  ASSERT_TRUE(until_status(id, ExperimentStatus::Done));
  EXPECT_EQ(trials(id).at(0).status, TrialStatus::Failed);
  EXPECT_THAT(trials(id).at(0).reason, HasSubstr("lost 3 times"));
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

// ---- clean stops ----

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

// ---- a full disk ----

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
