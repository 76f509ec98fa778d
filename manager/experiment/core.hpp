// What stands behind ExperimentManager: the loaded experiments, the host, and the database between them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "experiment/async_mutex.hpp"
#include "experiment/disk_guard.hpp"
#include "experiment/drain_switch.hpp"
#include "experiment/experiment.hpp"
#include "experiment/files.hpp"
#include "experiment/folder_lock.hpp"
#include "experiment/manager.hpp"
#include "experiment/status_news.hpp"
#include "hosts/fleet.hpp"
#include "hosts/ssh/secrets.hpp"
#include "storage/database.hpp"

namespace lathe::manager {

class ExperimentManager::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(boost::asio::any_io_executor executor, ManagerOptions options);
  ~Core();

  // ---- life (core.cpp) ----
  boost::asio::awaitable<proto::Result<void>> start();
  boost::asio::awaitable<void> shutdown(bool keep_trials);

  // ---- service (core_service.cpp) ----
  Answer<ExperimentRecord> create(proto::ExperimentConfig config);
  Answer<ExperimentRecord> show(std::string id);
  Answer<Page<ExperimentRecord>> list(ExperimentQuery query);
  Answer<ExperimentRecord> edit(std::string id, Experiment::Edit edit);
  Answer<bool> remove(std::string id);
  Answer<Page<TrialRecord>> list_trials(TrialQuery query);
  Answer<TrialRecord> show_trial(std::string id, std::string trial_id);
  Answer<TrialRecord> edit_trial(std::string id, std::string trial_id, Experiment::Edit edit);
  Answer<TrialRecord> add_trial(std::string id, nlohmann::ordered_json parameters);
  Answer<Page<MetricRecord>> list_metrics(MetricQuery query);
  [[nodiscard]] DaemonState daemon_state() const;
  Answer<DaemonState> set_draining(bool draining);
  EventBus& events() { return events_; }

  // ---- many trials at once (core_reading.cpp) ----
  Answer<bool> scan_trials(std::string id, std::function<void(const TrialRecord&)> each);
  Answer<std::vector<TrialRecord>> find_trials(std::string id, std::vector<std::int64_t> sequences);
  Answer<std::vector<TrialAttempt>> list_attempts(std::string id, std::int64_t limit);
  Answer<bool> scan_metrics(std::string id, std::vector<std::int64_t> sequences,
                            std::function<void(std::int64_t, const MetricRecord&)> each);

  // ---- hosts (core_hosts.cpp) ----
  Answer<LogPiece> read_log(LogRequest request);
  [[nodiscard]] std::vector<HostStatus> list_hosts() const { return fleet_.status(); }
  Answer<HostStatus> show_host(std::string host);
  Answer<HostStatus> drain_host(std::string host, bool drained);
  Answer<HostTest> test_host(std::string host);

 private:
  using Loaded = std::shared_ptr<Experiment>;

  [[nodiscard]] proto::Result<void> open_folder();
  [[nodiscard]] boost::asio::awaitable<proto::Result<void>> load_active();
  void clear_deleted(Connection& connection) const;
  void open_fleet(std::set<std::string> drained);
  [[nodiscard]] std::unique_ptr<Host> make_host(const HostSpec& spec);
  [[nodiscard]] std::unique_ptr<Host> make_remote_host(const HostSpec& spec);
  [[nodiscard]] std::unique_ptr<Host> make_pai_host(const HostSpec& spec);
  /// Waits until nothing runs any more, or it is not worth waiting longer.
  [[nodiscard]] boost::asio::awaitable<void> wait_for_trials();
  [[nodiscard]] bool anything_runs() const;
  [[nodiscard]] bool all_settled() const;
  [[nodiscard]] boost::asio::awaitable<void> wait_for(std::function<bool()> condition);

  /// The experiment, loaded when it was not.
  [[nodiscard]] Answer<Loaded> obtain(std::string id);
  [[nodiscard]] boost::asio::awaitable<StorageResult<Loaded>> load(std::string id);
  Loaded adopt(ExperimentState state);
  [[nodiscard]] ExperimentContext context();
  /// Waits until the experiment has been unloaded; Conflict while it is going on.
  [[nodiscard]] Answer<bool> wait_until_unloaded(std::string id);
  [[nodiscard]] ExperimentFolder folder_of(const std::string& id) const;
  [[nodiscard]] boost::asio::awaitable<proto::Result<void>> keep_secrets(const proto::ExperimentConfig& config);
  void add_wait_reason(TrialRecord& record) const;
  void add_obstacle(ExperimentRecord& record) const;

  void on_connected(const std::string& host, const proto::Hello& hello);
  void on_event(const std::string& state_id, proto::SequencedEvent event);
  void on_lost(const std::string& host, const std::string& why);
  void on_failed_start(const std::string& attempt, const std::string& why);
  void on_hosts_changed();
  [[nodiscard]] bool is_running(const std::string& attempt) const;
  [[nodiscard]] bool is_needed(const std::string& host, const std::string& folder) const;
  [[nodiscard]] bool runs_on(const std::string& host, const ExperimentState& state, const std::string& folder) const;
  void end_orphans(const std::string& host, const proto::Hello& hello);

  boost::asio::any_io_executor executor_;
  ManagerOptions options_;
  std::optional<FolderLock> lock_;
  boost::asio::thread_pool pool_;
  std::unique_ptr<Database> database_;
  std::optional<SecretStore> secrets_;
  std::string daemon_id_;  ///< keeps what this daemon has on other machines apart from what others have
  EventBus events_;
  Fleet fleet_;
  StatusNews news_;
  DrainSwitch drain_;
  DiskGuard disk_;
  std::map<std::string, Loaded> experiments_;
  AsyncMutex loading_;
  bool closing_ = false;
  boost::asio::steady_timer changed_;  ///< cancelled whenever something ended: wakes shutdown() and removals
};

}  // namespace lathe::manager
