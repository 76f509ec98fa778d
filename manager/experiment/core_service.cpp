#include <random>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "experiment/clock.hpp"
#include "experiment/core.hpp"
#include "experiment/ids.hpp"
#include "experiment/requests.hpp"
#include "storage/experiment_table.hpp"
#include "storage/metric_table.hpp"
#include "storage/trial_table.hpp"

namespace lathe::manager {

namespace asio = boost::asio;
using Kind = ServiceError::Kind;

namespace {

constexpr std::int64_t kMaxPage = 1000;

tl::unexpected<ServiceError> no_trial(const std::string& id, const std::string& trial_id) {
  return refuse(Kind::NotFound, fmt::format("experiment {} has no trial {}", id, trial_id));
}

tl::unexpected<ServiceError> closing() {
  return refuse(Kind::Unavailable, "the daemon is being stopped");
}

ServiceResult<void> check_limit(std::int64_t limit) {
  if (limit >= 1 && limit <= kMaxPage) return {};
  return refuse(Kind::Invalid, fmt::format("{} is not allowed; expected 1 to {}", limit, kMaxPage), "limit");
}

ServiceResult<void> check_config(const proto::ExperimentConfig& config) {
  if (config.trial_command.has_value() == config.compression.has_value()) {
    return refuse(Kind::Invalid, "exactly one of trialCommand and compression is needed", "trialCommand");
  }
  if (config.trial_concurrency < 1) {
    return refuse(Kind::Invalid,
                  fmt::format("{} is not allowed; expected a whole number above 0", config.trial_concurrency),
                  "trialConcurrency");
  }
  return {};
}

/// Fits into every JSON reader's integers.
std::uint64_t random_seed() {
  std::random_device device;
  return std::uniform_int_distribution<std::uint64_t>(0, (1ull << 32) - 1)(device);
}

ExperimentState new_state(proto::ExperimentConfig config, const ExperimentFolder& folder, const std::string& id) {
  ExperimentState state;
  ExperimentRecord& record = state.row.record;
  record.id = id;
  record.name = config.experiment_name;
  record.created_ms = unix_now();
  record.warnings = config.warnings;
  record.directory = folder.root.string();
  record.preparation = config.compression ? PreparationState::Waiting : PreparationState::None;
  state.config_json = std::make_shared<const nlohmann::ordered_json>(proto::to_json(config));
  state.config = std::make_shared<const proto::ExperimentConfig>(std::move(config));
  return state;
}

}  // namespace

// ---- experiments ----

/// Before anything of the experiment is stored: what is stored has no secrets in it.
asio::awaitable<proto::Result<void>> ExperimentManager::Core::keep_secrets(const proto::ExperimentConfig& config) {
  auto keeping = [this, specs = host_specs(config), services = config.training_services]() -> proto::Result<void> {
    for (const proto::TrainingService& service : services) {
      const auto* pai = std::get_if<proto::PaiService>(&service);
      if (pai == nullptr) continue;
      if (auto kept = secrets_->keep_token(pai->name(), pai->token); !kept) return kept;
    }
    for (const HostSpec& spec : specs) {
      if (!spec.address) continue;
      if (auto kept = secrets_->keep(*spec.address); !kept) return kept;
    }
    return {};
  };
  co_return co_await on_pool(pool_, std::move(keeping));
}

Answer<ExperimentRecord> ExperimentManager::Core::create(proto::ExperimentConfig config) {
  if (closing_) co_return closing();
  if (auto checked = check_config(config); !checked) co_return tl::unexpected(checked.error());
  if (!config.tuner.seed) config.tuner.seed = random_seed();
  if (auto kept = co_await keep_secrets(config); !kept) co_return refuse(Kind::Unavailable, kept.error().message);
  const std::string id = random_experiment_id();
  const ExperimentFolder folder = folder_of(id);
  ExperimentState state = new_state(std::move(config), folder, id);
  auto making = [folder, shared = state.config] { return create_folder(folder, *shared); };
  if (auto made = co_await on_pool(pool_, std::move(making)); !made)
    co_return refuse(Kind::Unavailable, made.error().message);
  ExperimentRow row = state.row;
  row.record.config = *state.config_json;
  WriteQueue::Job job = [row](Connection& connection) { insert_experiment(connection, row); };
  const StorageResult<void> written = co_await database_->write(std::move(job));
  if (!written) {
    auto undoing = [folder] {
      if (set_aside(folder)) remove_set_aside(folder);
    };
    co_await on_pool(pool_, std::move(undoing));
    co_return refuse(written.error());
  }
  if (closing_) co_return row.record;
  const Loaded experiment = adopt(std::move(state));
  if (events_.wanted()) events_.publish(id, "experiment", to_json(row.record).dump());
  co_return row.record;
}

Answer<ExperimentRecord> ExperimentManager::Core::show(std::string id) {
  auto query = [id](Connection& connection) -> StorageResult<std::optional<ExperimentRow>> {
    return find_experiment(connection, id);
  };
  StorageResult<std::optional<ExperimentRow>> found = co_await database_->read(std::move(query));
  if (!found) co_return refuse(found.error());
  if (!*found) co_return no_experiment(id);
  add_obstacle((*found)->record);
  co_return std::move((*found)->record);
}

Answer<Page<ExperimentRecord>> ExperimentManager::Core::list(ExperimentQuery wanted) {
  if (auto checked = check_limit(wanted.limit); !checked) co_return tl::unexpected(checked.error());
  auto query = [wanted](Connection& connection) { return page_of_experiments(connection, wanted); };
  StorageResult<Page<ExperimentRecord>> page = co_await database_->read(std::move(query));
  if (!page) co_return refuse(page.error());
  for (ExperimentRecord& record : page->items) add_obstacle(record);
  co_return std::move(*page);
}

Answer<ExperimentRecord> ExperimentManager::Core::edit(std::string id, Experiment::Edit change) {
  if (closing_) co_return closing();
  const ServiceResult<Loaded> experiment = co_await obtain(id);
  if (!experiment) co_return tl::unexpected(experiment.error());
  const ServiceResult<bool> changed = co_await (*experiment)->request(std::move(change));
  if (!changed) co_return tl::unexpected(changed.error());
  co_return co_await show(id);
}

Answer<bool> ExperimentManager::Core::wait_until_unloaded(std::string id) {
  for (;;) {
    const auto found = experiments_.find(id);
    if (found == experiments_.end()) co_return true;
    const Loaded experiment = found->second;
    const ExperimentState& state = experiment->state();
    if (!is_at_rest(state.record().status) || state.running() > 0) {
      co_return refuse(Kind::Conflict,
                       fmt::format("experiment {} is {}: stop it first", id, proto::to_string(state.record().status)));
    }
    boost::system::error_code ignored;
    co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

Answer<bool> ExperimentManager::Core::remove(std::string id) {
  if (closing_) co_return closing();
  const AsyncMutex::Guard guard = co_await loading_.lock();
  if (auto unloaded = co_await wait_until_unloaded(id); !unloaded) co_return unloaded;
  const ServiceResult<ExperimentRecord> found = co_await show(id);
  if (!found) co_return tl::unexpected(found.error());
  const ExperimentFolder folder = folder_of(id);
  auto moving = [folder] { return set_aside(folder); };
  if (auto moved = co_await on_pool(pool_, std::move(moving)); !moved)
    co_return refuse(Kind::Unavailable, moved.error().message);
  WriteQueue::Job job = [id](Connection& connection) { delete_experiment(connection, id); };
  const StorageResult<void> written = co_await database_->write(std::move(job));
  auto finishing = [folder, deleted = written.has_value()] { deleted ? remove_set_aside(folder) : put_back(folder); };
  co_await on_pool(pool_, std::move(finishing));
  if (!written) co_return refuse(written.error());
  if (events_.wanted()) events_.publish(id, "deleted", nlohmann::ordered_json{{"id", id}}.dump());
  co_return true;
}

// ---- trials and metrics ----

void ExperimentManager::Core::add_obstacle(ExperimentRecord& record) const {
  const auto found = experiments_.find(record.id);
  if (found != experiments_.end()) record.obstacle = found->second->obstacle();
}

void ExperimentManager::Core::add_wait_reason(TrialRecord& record) const {
  if (record.status == proto::TrialStatus::Running)
    record.wait_reason =
        fleet_.note(record.host, AttemptId{record.experiment_id, record.id, record.attempt}.to_string());
  if (record.status != proto::TrialStatus::Waiting) return;
  const auto found = experiments_.find(record.experiment_id);
  record.wait_reason = found == experiments_.end() ? "its experiment is not running" : found->second->wait_reason();
}

Answer<Page<TrialRecord>> ExperimentManager::Core::list_trials(TrialQuery wanted) {
  if (auto checked = check_limit(wanted.limit); !checked) co_return tl::unexpected(checked.error());
  auto query = [wanted](Connection& connection) -> StorageResult<std::optional<Page<TrialRecord>>> {
    if (!has_experiment(connection, wanted.experiment_id)) return std::optional<Page<TrialRecord>>();
    return page_of_trials(connection, wanted).map([](Page<TrialRecord> page) {
      return std::optional(std::move(page));
    });
  };
  StorageResult<std::optional<Page<TrialRecord>>> page = co_await database_->read(std::move(query));
  if (!page) co_return refuse(page.error());
  if (!*page) co_return no_experiment(wanted.experiment_id);
  for (TrialRecord& record : (*page)->items) add_wait_reason(record);
  co_return std::move(**page);
}

Answer<TrialRecord> ExperimentManager::Core::show_trial(std::string id, std::string trial_id) {
  auto query = [id, trial_id](Connection& connection) -> StorageResult<std::optional<TrialRecord>> {
    return find_trial(connection, id, trial_id);
  };
  StorageResult<std::optional<TrialRecord>> found = co_await database_->read(std::move(query));
  if (!found) co_return refuse(found.error());
  if (!*found) {
    const ServiceResult<ExperimentRecord> experiment = co_await show(id);
    if (!experiment) co_return tl::unexpected(experiment.error());
    co_return no_trial(id, trial_id);
  }
  add_wait_reason(**found);
  co_return std::move(**found);
}

Answer<TrialRecord> ExperimentManager::Core::edit_trial(std::string id, std::string trial_id, Experiment::Edit change) {
  if (closing_) co_return closing();
  const ServiceResult<TrialRecord> found = co_await show_trial(id, trial_id);
  if (!found) co_return found;
  const ServiceResult<Loaded> experiment = co_await obtain(id);
  if (!experiment) co_return tl::unexpected(experiment.error());
  const ServiceResult<bool> changed = co_await (*experiment)->request(std::move(change));
  if (!changed) co_return tl::unexpected(changed.error());
  co_return co_await show_trial(id, trial_id);
}

Answer<TrialRecord> ExperimentManager::Core::add_trial(std::string id, nlohmann::ordered_json parameters) {
  if (closing_) co_return closing();
  const ServiceResult<Loaded> experiment = co_await obtain(id);
  if (!experiment) co_return tl::unexpected(experiment.error());
  const auto trial_id = std::make_shared<std::string>();
  Experiment::Edit change = [trial_id, parameters](Turn& turn) { return request_trial(turn, parameters, *trial_id); };
  const ServiceResult<bool> changed = co_await (*experiment)->request(std::move(change));
  if (!changed) co_return tl::unexpected(changed.error());
  co_return co_await show_trial(id, *trial_id);
}

Answer<Page<MetricRecord>> ExperimentManager::Core::list_metrics(MetricQuery wanted) {
  if (auto checked = check_limit(wanted.limit); !checked) co_return tl::unexpected(checked.error());
  if (wanted.trial_id) {
    const ServiceResult<TrialRecord> trial = co_await show_trial(wanted.experiment_id, *wanted.trial_id);
    if (!trial) co_return tl::unexpected(trial.error());
  }
  auto query = [wanted](Connection& connection) -> StorageResult<std::optional<Page<MetricRecord>>> {
    if (!has_experiment(connection, wanted.experiment_id)) return std::optional<Page<MetricRecord>>();
    return page_of_metrics(connection, wanted).map([](Page<MetricRecord> page) {
      return std::optional(std::move(page));
    });
  };
  StorageResult<std::optional<Page<MetricRecord>>> page = co_await database_->read(std::move(query));
  if (!page) co_return refuse(page.error());
  if (!*page) co_return no_experiment(wanted.experiment_id);
  co_return std::move(**page);
}

// ---- the daemon ----

DaemonState ExperimentManager::Core::daemon_state() const {
  DaemonState state{drain_.is_on(), 0};
  for (const auto& [id, experiment] : experiments_) {
    state.running_trials += experiment->state().running() + (experiment->state().preparing() ? 1 : 0);
  }
  return state;
}

Answer<DaemonState> ExperimentManager::Core::set_draining(bool draining) {
  auto storing = [this, draining] { return drain_.store(draining); };
  if (auto stored = co_await on_pool(pool_, std::move(storing)); !stored)
    co_return refuse(Kind::Unavailable, stored.error().message);
  if (drain_.is_on() != draining) spdlog::info(draining ? "draining: nothing new is started" : "draining has ended");
  drain_.set(draining);
  news_.daemon_changed();
  for (const auto& [id, experiment] : experiments_) experiment->drain_changed();
  co_return daemon_state();
}

}  // namespace lathe::manager
