// The experiments of one data folder: made, kept, run and ended. What lathed is about; HTTP is only its mouth.
//
// Loop thread only: every method runs on the executor given at construction, which one thread runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <lathe/proto/experiment_config.hpp>
#include <lathe/proto/result.hpp>
#include <lathe/tuners/tuner.hpp>

#include "experiment/service.hpp"
#include "hosts/host.hpp"
#include "hosts/host_spec.hpp"

namespace lathe::manager {

struct ManagerOptions {
  /// Holds the database, the experiments' folders and the local agent's state. Made when missing. Absolute.
  std::filesystem::path data_dir;

  /// The lathe-agent program; started when no agent answers in `data_dir`/agents/local.
  std::filesystem::path agent_program;

  /// The lathe-trial program, which compression experiments run.
  std::filesystem::path trial_program;

  /// Trials of all experiments that may run at once on this machine; none: only each trialConcurrency limits.
  std::optional<std::int64_t> max_running;

  /// Free bytes of the data folder's disk below which no trial is started.
  std::uint64_t disk_reserve = 0;

  /// How long a trial that is being ended has between SIGTERM and SIGKILL.
  std::chrono::milliseconds trial_grace{5000};

  /// How long a host may be out of reach before its trials are run elsewhere.
  std::chrono::milliseconds lost_after{60'000};

  /// ssh_config for remote hosts; empty: the user's own.
  std::filesystem::path ssh_config;

  /// How long trials that need fewer GPUs may overtake one that needs more.
  std::chrono::milliseconds gpu_patience{30'000};

  /// Unset: agents, started by agent_program. Tests put hosts of their own here.
  std::function<std::unique_ptr<Host>(boost::asio::any_io_executor, const HostSpec&)> make_host;

  /// Unset: tuners::make_tuner.
  std::function<std::unique_ptr<tuners::Tuner>(const proto::TunerConfig&, const proto::SearchSpace&)> make_tuner;

  /// Size of the database in pages of 4 KiB beyond which writes fail as on a full disk; unset: the disk's.
  std::optional<std::int64_t> max_database_pages;
};

class ExperimentManager final : public ExperimentService {
 public:
  ExperimentManager(boost::asio::any_io_executor executor, ManagerOptions options);
  ~ExperimentManager() override;
  ExperimentManager(const ExperimentManager&) = delete;
  ExperimentManager& operator=(const ExperimentManager&) = delete;

  /// Opens (and migrates) the database, takes up the experiments that were going on, and begins to connect to the
  /// agent. Fails when the folder cannot be used: not writable, in use by another daemon, or from a newer version. Call
  /// once, before anything else.
  [[nodiscard]] boost::asio::awaitable<proto::Result<void>> start();

  /// Ends everything in order; calls are refused as Unavailable from here on. Trials are ended and put back to WAITING,
  /// to run again after the next start, or left to the agent with `keep_trials`. Takes at most about twice the
  /// trials' grace time. The manager may be destroyed after it returns.
  [[nodiscard]] boost::asio::awaitable<void> shutdown(bool keep_trials);

  Answer<ExperimentRecord> create(proto::ExperimentConfig config) override;
  Answer<ExperimentRecord> show(std::string experiment_id) override;
  Answer<Page<ExperimentRecord>> list(ExperimentQuery query) override;
  Answer<ExperimentRecord> change(std::string experiment_id, ExperimentChange change) override;
  Answer<ExperimentRecord> stop(std::string experiment_id) override;
  Answer<ExperimentRecord> resume(std::string experiment_id) override;
  Answer<bool> remove(std::string experiment_id) override;
  Answer<Page<TrialRecord>> list_trials(TrialQuery query) override;
  Answer<TrialRecord> show_trial(std::string experiment_id, std::string trial_id) override;
  Answer<TrialRecord> cancel_trial(std::string experiment_id, std::string trial_id) override;
  Answer<TrialRecord> add_trial(std::string experiment_id, nlohmann::ordered_json parameters) override;
  Answer<Page<MetricRecord>> list_metrics(MetricQuery query) override;
  Answer<LogPiece> read_log(LogRequest request) override;
  Answer<bool> scan_trials(std::string experiment_id, std::function<void(const TrialRecord&)> each) override;
  Answer<std::vector<TrialRecord>> find_trials(std::string experiment_id, std::vector<std::int64_t> sequences) override;
  Answer<std::vector<TrialAttempt>> list_attempts(std::string experiment_id, std::int64_t limit) override;
  Answer<bool> scan_metrics(std::string experiment_id, std::vector<std::int64_t> sequences,
                            std::function<void(std::int64_t, const MetricRecord&)> each) override;
  DaemonState daemon_state() const override;
  Answer<DaemonState> set_draining(bool draining) override;
  std::vector<HostStatus> list_hosts() const override;
  Answer<HostStatus> show_host(std::string host) override;
  Answer<HostStatus> drain_host(std::string host, bool drained) override;
  Answer<HostTest> test_host(std::string host) override;
  EventBus& events() override;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace lathe::manager
