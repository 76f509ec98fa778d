// The manager as a whole, over a real database, with an agent and a tuner in memory.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiment/manager.hpp"
#include "fake_agent.hpp"
#include "fake_tuner.hpp"
#include "loop.hpp"
#include "temp_folder.hpp"

namespace lathe::manager {

using proto::ExperimentStatus;
using proto::TrialStatus;

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
    options.lost_after = lost_after_;
    options.make_host = [this](boost::asio::any_io_executor executor, const HostSpec& spec) {
      auto host = std::make_unique<FakeHost>(std::move(executor), agent_of(spec.id), spec.id);
      hosts_[spec.id] = host.get();
      host->on_gone = [this, id = spec.id] { hosts_.erase(id); };
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
    for (const auto& [id, host] : hosts_) host->disconnect("killed");
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

  /// The agent of a host; made when it is first asked for.
  std::shared_ptr<FakeAgent> agent_of(const std::string& host) {
    if (host == "local") return agent_;
    auto& agent = remote_agents_[host];
    if (!agent) {
      agent = std::make_shared<FakeAgent>();
      agent->state_id = "state-of-" + host;
      agent->root = "/far/" + host;
    }
    return agent;
  }

  /// Trials go to machines of these names, one trial at a time each.
  proto::ExperimentConfig remote_config(const std::vector<std::string>& hosts, std::optional<std::int64_t> trials) {
    proto::ExperimentConfig result = config(static_cast<std::int64_t>(hosts.size()), trials);
    proto::RemoteService service;
    for (const std::string& host : hosts) {
      proto::RemoteMachine machine;
      machine.address.host = host;
      machine.slots = 1;
      service.machines.push_back(std::move(machine));
    }
    result.training_services = {service};
    return result;
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
  std::chrono::milliseconds lost_after_{60'000};
  std::shared_ptr<FakeAgent> agent_ = std::make_shared<FakeAgent>();  ///< of this machine
  std::map<std::string, std::shared_ptr<FakeAgent>> remote_agents_;
  std::shared_ptr<TunerLog> log_ = std::make_shared<TunerLog>();
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<ExperimentManager> manager_;
  std::map<std::string, FakeHost*> hosts_;  ///< the manager's connections
};

}  // namespace lathe::manager
