#include "experiment/core.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <lathe/proto/file_stream.hpp>

#include "experiment/ids.hpp"
#include "experiment/loading.hpp"
#include "experiment/requests.hpp"
#include "storage/drained_table.hpp"
#include "storage/experiment_table.hpp"

namespace lathe::manager {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kPoolThreads = 2;
constexpr auto kEndMargin = 10s;       // beyond the trials' grace time, for the agent to tell of their ends
constexpr auto kAfterDisconnect = 1s;  // for events that had arrived before the agent went

const std::vector<proto::ExperimentStatus> kActive{
    proto::ExperimentStatus::Initialized, proto::ExperimentStatus::Running, proto::ExperimentStatus::NoMoreTrial,
    proto::ExperimentStatus::TunerNoMoreTrial, proto::ExperimentStatus::Stopping};

}  // namespace

ExperimentManager::Core::Core(asio::any_io_executor executor, ManagerOptions options)
    : executor_(executor),
      options_(std::move(options)),
      pool_(kPoolThreads),
      fleet_(executor, [this](const HostSpec& spec) { return make_host(spec); },
             {options_.max_running, options_.lost_after, options_.gpu_patience}),
      news_(executor, events_,
            {[this](const std::string& host) { return fleet_.status(host); }, [this] { return daemon_state(); }}),
      drain_(options_.data_dir),
      disk_(options_.data_dir, options_.disk_reserve),
      loading_(executor),
      changed_(executor, Clock::time_point::max()) {
  if (!options_.make_tuner) options_.make_tuner = tuners::make_tuner;
}

ExperimentManager::Core::~Core() {
  pool_.join();
}

// ---- start and end ----

asio::awaitable<proto::Result<void>> ExperimentManager::Core::start() {
  auto opening = [this] { return open_folder(); };
  if (auto opened = co_await on_pool(pool_, std::move(opening)); !opened) co_return opened;
  if (auto loaded = co_await load_active(); !loaded) co_return loaded;
  auto query = [](Connection& connection) -> StorageResult<std::set<std::string>> { return drained_hosts(connection); };
  auto drained = co_await database_->read(std::move(query));
  if (!drained) co_return proto::fail(drained.error().message);
  open_fleet(std::move(*drained));
  co_return proto::Result<void>{};
}

proto::Result<void> ExperimentManager::Core::open_folder() {
  std::error_code error;
  fs::create_directories(options_.data_dir / "experiments", error);
  if (error) return proto::fail(fmt::format("cannot make {}: {}", options_.data_dir.string(), error.message()));
  auto lock = FolderLock::take(options_.data_dir);
  if (!lock) return tl::unexpected(lock.error());
  lock_ = std::move(*lock);
  auto secrets = SecretStore::open(options_.data_dir / "secrets");
  if (!secrets) return tl::unexpected(secrets.error());
  secrets_ = std::move(*secrets);
  auto daemon_id = daemon_id_of(options_.data_dir);
  if (!daemon_id) return tl::unexpected(daemon_id.error());
  daemon_id_ = std::move(*daemon_id);
  drain_.load();
  auto database = Database::open(options_.data_dir / "lathe.sqlite", pool_, options_.max_database_pages);
  if (!database) return tl::unexpected(database.error());
  database_ = std::move(*database);
  return {};
}

asio::awaitable<proto::Result<void>> ExperimentManager::Core::load_active() {
  auto query = [this](Connection& connection) -> StorageResult<std::vector<std::string>> {
    clear_deleted(connection);
    return experiments_in(connection, kActive);
  };
  const auto ids = co_await database_->read(std::move(query));
  if (!ids) co_return proto::fail(ids.error().message);
  for (const std::string& id : *ids) {
    const StorageResult<Loaded> loaded = co_await load(id);
    if (loaded) continue;
    spdlog::error("experiment {}: {}", id, loaded.error().message);
    if (loaded.error().kind == StorageError::Kind::Unavailable) co_return proto::fail(loaded.error().message);
    WriteQueue::Job job = [id, why = loaded.error().message](Connection& connection) { condemn(connection, id, why); };
    if (auto written = co_await database_->write(std::move(job)); !written)
      co_return proto::fail(written.error().message);
  }
  co_return proto::Result<void>{};
}

/// Finishes deletions that a crash cut short.
void ExperimentManager::Core::clear_deleted(Connection& connection) const {
  for (const std::string& id : folders_set_aside(options_.data_dir / "experiments")) {
    const ExperimentFolder folder = folder_of(id);
    if (find_experiment(connection, id))
      put_back(folder);
    else
      remove_set_aside(folder);
  }
}

void ExperimentManager::Core::open_fleet(std::set<std::string> drained) {
  fleet_.open(
      {
          [this](const std::string& host, const proto::Hello& hello) { on_connected(host, hello); },
          [this](const std::string& state_id, proto::SequencedEvent event) { on_event(state_id, std::move(event)); },
          [this](const std::string&, const std::string&) { on_hosts_changed(); },
          [this](const std::string& host, const std::string& why) { on_lost(host, why); },
          [this](const std::string& attempt, const std::string& why) { on_failed_start(attempt, why); },
          [this] { on_hosts_changed(); },
          [this](const std::string& host) { news_.host_changed(host); },
      },
      std::move(drained));
}

asio::awaitable<void> ExperimentManager::Core::shutdown(bool keep_trials) {
  closing_ = true;
  for (const auto& [id, experiment] : experiments_) experiment->begin_closing();
  co_await wait_for([this] { return all_settled(); });
  if (const std::vector<std::string> connected = fleet_.connected(); !keep_trials && !connected.empty()) {
    for (const std::string& host : connected)
      fleet_.send(host, proto::Shutdown{"requeue", options_.trial_grace.count()});
    co_await wait_for_trials();
  }
  const auto loaded = experiments_;
  for (const auto& [id, experiment] : loaded) experiment->close();
  co_await wait_for([this] { return experiments_.empty(); });
  co_await fleet_.close();
}

asio::awaitable<void> ExperimentManager::Core::wait_for(std::function<bool()> condition) {
  boost::system::error_code ignored;
  while (!condition()) co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

/// A start that is on its way into the database would reach the agent after it was told to end everything.
bool ExperimentManager::Core::all_settled() const {
  return std::all_of(experiments_.begin(), experiments_.end(),
                     [](const auto& entry) { return entry.second->is_settled(); });
}

asio::awaitable<void> ExperimentManager::Core::wait_for_trials() {
  auto deadline = Clock::now() + options_.trial_grace + kEndMargin;
  bool gone = false;
  while (anything_runs() && Clock::now() < deadline) {
    if (fleet_.connected().empty() && !gone) {
      gone = true;
      deadline = std::min(deadline, Clock::now() + kAfterDisconnect);
    }
    boost::system::error_code ignored;
    changed_.expires_at(deadline);
    co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  changed_.expires_at(Clock::time_point::max());
}

bool ExperimentManager::Core::anything_runs() const {
  return std::any_of(experiments_.begin(), experiments_.end(), [](const auto& entry) {
    const ExperimentState& state = entry.second->state();
    return state.running() > 0 || state.preparing();
  });
}

// ---- loading ----

Answer<ExperimentManager::Core::Loaded> ExperimentManager::Core::obtain(std::string id) {
  const AsyncMutex::Guard guard = co_await loading_.lock();
  if (const auto found = experiments_.find(id); found != experiments_.end()) co_return found->second;
  const StorageResult<Loaded> loaded = co_await load(id);
  if (!loaded) {
    const bool unavailable = loaded.error().kind == StorageError::Kind::Unavailable;
    co_return refuse(unavailable ? ServiceError::Kind::Unavailable : ServiceError::Kind::Conflict,
                     loaded.error().message);
  }
  if (!*loaded) co_return refuse(ServiceError::Kind::NotFound, fmt::format("there is no experiment {}", id));
  co_return *loaded;
}

asio::awaitable<StorageResult<ExperimentManager::Core::Loaded>> ExperimentManager::Core::load(std::string id) {
  auto query = [id](Connection& connection) { return load_state(connection, id); };
  StorageResult<std::optional<ExperimentState>> state = co_await database_->read(std::move(query));
  if (!state) co_return tl::unexpected(state.error());
  if (!*state) co_return Loaded{};
  co_return adopt(std::move(**state));
}

ExperimentManager::Core::Loaded ExperimentManager::Core::adopt(ExperimentState state) {
  const std::string id = state.id();
  auto experiment = std::make_shared<Experiment>(context(), std::move(state));
  experiments_[id] = experiment;
  const auto& config = *experiment->state().config;
  std::vector<HostSpec> specs = host_specs(config);
  fleet_.enlist(id, specs, config.trial_gpu_number);
  for (const HostSpec& spec : specs) {
    if (const proto::Hello* hello = fleet_.hello(spec.id)) experiment->agent_greeted(spec.id, *hello);
  }
  if (closing_) experiment->begin_closing();
  experiment->run([this, id] {
    experiments_.erase(id);
    changed_.cancel();
  });
  return experiment;
}

ExperimentContext ExperimentManager::Core::context() {
  return {executor_,
          *database_,
          pool_,
          events_,
          fleet_,
          drain_,
          disk_,
          options_.trial_program,
          options_.trial_grace,
          options_.make_tuner,
          [this] {
            changed_.cancel();
            news_.daemon_changed();
          }};
}

ExperimentFolder ExperimentManager::Core::folder_of(const std::string& id) const {
  return {options_.data_dir / "experiments" / id};
}

// ---- hosts ----

void ExperimentManager::Core::on_connected(const std::string& host, const proto::Hello& hello) {
  for (const auto& [id, experiment] : experiments_) experiment->agent_greeted(host, hello);
  end_orphans(host, hello);
}

/// What runs there for nobody, e.g. for an experiment that was deleted, or an attempt that was given up.
void ExperimentManager::Core::end_orphans(const std::string& host, const proto::Hello& hello) {
  for (const std::string& running : hello.running) {
    if (is_running(running)) continue;
    spdlog::warn("agent {}: ending {}, which belongs to no experiment", host, running);
    fleet_.send(host, proto::KillTrial{running, "stop", options_.trial_grace.count()});
  }
}

void ExperimentManager::Core::on_event(const std::string& state_id, proto::SequencedEvent event) {
  const std::string& trial =
      std::visit([](const auto& kind) -> const std::string& { return kind.trial_id; }, event.event);
  const auto id = AttemptId::parse(trial);
  const auto experiment = id ? experiments_.find(id->experiment) : experiments_.end();
  if (experiment == experiments_.end())
    fleet_.commit(state_id, event.sequence);
  else
    experiment->second->agent_event(state_id, std::move(event));
}

void ExperimentManager::Core::on_lost(const std::string& host, const std::string& why) {
  for (const auto& [id, experiment] : experiments_) experiment->host_lost(host, why);
}

void ExperimentManager::Core::on_failed_start(const std::string& attempt, const std::string& why) {
  const auto id = AttemptId::parse(attempt);
  const auto experiment = id ? experiments_.find(id->experiment) : experiments_.end();
  if (experiment != experiments_.end()) experiment->second->start_failed(attempt, why);
}

void ExperimentManager::Core::on_hosts_changed() {
  for (const auto& [id, experiment] : experiments_) experiment->hosts_changed();
  changed_.cancel();
}

}  // namespace lathe::manager
