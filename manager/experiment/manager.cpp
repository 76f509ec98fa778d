#include "experiment/manager.hpp"

#include <utility>

#include "experiment/core.hpp"
#include "experiment/requests.hpp"

namespace lathe::manager {

namespace asio = boost::asio;

// Each call holds the core, so that it may outlive the manager.

ExperimentManager::ExperimentManager(asio::any_io_executor executor, ManagerOptions options)
    : core_(std::make_shared<Core>(std::move(executor), std::move(options))) {}

ExperimentManager::~ExperimentManager() = default;

asio::awaitable<proto::Result<void>> ExperimentManager::start() {
  const auto core = core_;
  co_return co_await core->start();
}

asio::awaitable<void> ExperimentManager::shutdown(bool keep_trials) {
  const auto core = core_;
  co_await core->shutdown(keep_trials);
}

Answer<ExperimentRecord> ExperimentManager::create(proto::ExperimentConfig config) {
  const auto core = core_;
  co_return co_await core->create(std::move(config));
}

Answer<ExperimentRecord> ExperimentManager::show(std::string experiment_id) {
  const auto core = core_;
  co_return co_await core->show(std::move(experiment_id));
}

Answer<Page<ExperimentRecord>> ExperimentManager::list(ExperimentQuery query) {
  const auto core = core_;
  co_return co_await core->list(std::move(query));
}

Answer<ExperimentRecord> ExperimentManager::change(std::string experiment_id, ExperimentChange change) {
  const auto core = core_;
  Experiment::Edit edit = [change](Turn& turn) { return request_change(turn, change); };
  co_return co_await core->edit(std::move(experiment_id), std::move(edit));
}

Answer<ExperimentRecord> ExperimentManager::stop(std::string experiment_id) {
  const auto core = core_;
  Experiment::Edit edit = request_stop;
  co_return co_await core->edit(std::move(experiment_id), std::move(edit));
}

Answer<ExperimentRecord> ExperimentManager::resume(std::string experiment_id) {
  const auto core = core_;
  Experiment::Edit edit = request_resume;
  co_return co_await core->edit(std::move(experiment_id), std::move(edit));
}

Answer<bool> ExperimentManager::remove(std::string experiment_id) {
  const auto core = core_;
  co_return co_await core->remove(std::move(experiment_id));
}

Answer<Page<TrialRecord>> ExperimentManager::list_trials(TrialQuery query) {
  const auto core = core_;
  co_return co_await core->list_trials(std::move(query));
}

Answer<TrialRecord> ExperimentManager::show_trial(std::string experiment_id, std::string trial_id) {
  const auto core = core_;
  co_return co_await core->show_trial(std::move(experiment_id), std::move(trial_id));
}

Answer<TrialRecord> ExperimentManager::cancel_trial(std::string experiment_id, std::string trial_id) {
  const auto core = core_;
  Experiment::Edit edit = [trial_id](Turn& turn) { return request_cancel(turn, trial_id); };
  co_return co_await core->edit_trial(std::move(experiment_id), std::move(trial_id), std::move(edit));
}

Answer<TrialRecord> ExperimentManager::add_trial(std::string experiment_id, nlohmann::ordered_json parameters) {
  const auto core = core_;
  co_return co_await core->add_trial(std::move(experiment_id), std::move(parameters));
}

Answer<Page<MetricRecord>> ExperimentManager::list_metrics(MetricQuery query) {
  const auto core = core_;
  co_return co_await core->list_metrics(std::move(query));
}

Answer<LogPiece> ExperimentManager::read_log(LogRequest request) {
  const auto core = core_;
  co_return co_await core->read_log(std::move(request));
}

Answer<bool> ExperimentManager::scan_trials(std::string experiment_id, std::function<void(const TrialRecord&)> each) {
  const auto core = core_;
  co_return co_await core->scan_trials(std::move(experiment_id), std::move(each));
}

Answer<std::vector<TrialRecord>> ExperimentManager::find_trials(std::string experiment_id,
                                                                std::vector<std::int64_t> sequences) {
  const auto core = core_;
  co_return co_await core->find_trials(std::move(experiment_id), std::move(sequences));
}

Answer<std::vector<TrialAttempt>> ExperimentManager::list_attempts(std::string experiment_id, std::int64_t limit) {
  const auto core = core_;
  co_return co_await core->list_attempts(std::move(experiment_id), limit);
}

Answer<bool> ExperimentManager::scan_metrics(std::string experiment_id, std::vector<std::int64_t> sequences,
                                             std::function<void(std::int64_t, const MetricRecord&)> each) {
  const auto core = core_;
  co_return co_await core->scan_metrics(std::move(experiment_id), std::move(sequences), std::move(each));
}

DaemonState ExperimentManager::daemon_state() const {
  return core_->daemon_state();
}

Answer<DaemonState> ExperimentManager::set_draining(bool draining) {
  const auto core = core_;
  co_return co_await core->set_draining(draining);
}

std::vector<HostStatus> ExperimentManager::list_hosts() const {
  return core_->list_hosts();
}

Answer<HostStatus> ExperimentManager::show_host(std::string host) {
  const auto core = core_;
  co_return co_await core->show_host(std::move(host));
}

Answer<HostStatus> ExperimentManager::drain_host(std::string host, bool drained) {
  const auto core = core_;
  co_return co_await core->drain_host(std::move(host), drained);
}

Answer<HostTest> ExperimentManager::test_host(std::string host) {
  const auto core = core_;
  co_return co_await core->test_host(std::move(host));
}

EventBus& ExperimentManager::events() {
  return core_->events();
}

}  // namespace lathe::manager
