#include "trial_table.hpp"

#include <utility>

#include <boost/asio/post.hpp>

#include "clock.hpp"
#include "code_tree.hpp"
#include "stderr_tail.hpp"
#include "trial_folder.hpp"

namespace lathe::agent {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr std::size_t metric_chunk = 1 << 20;  ///< of a metrics file at one turn of the loop

}  // namespace

TrialTable::TrialTable(asio::io_context& io, EventLog& events, Launchers& launchers,
                       std::filesystem::path host_directory, spdlog::logger& log, std::function<void()> emptied,
                       Note note, Ended ended)
    : io_(io),
      events_(events),
      launchers_(launchers),
      host_directory_(std::move(host_directory)),
      log_(log),
      emptied_(std::move(emptied)),
      note_(std::move(note)),
      ended_(std::move(ended)),
      watch_(io, [this](const std::string& trial_id) { advance(trial_id); }),
      poll_(io, [this](const std::string& trial_id) { advance(trial_id); }) {}

TrialTable::~TrialTable() {
  for (const auto& [trial_id, copy] : copies_) copy->is_stopped = true;
  copying_.join();
}

// ---- starting -------------------------------------------------------------------------------------------------------

void TrialTable::start(const proto::StartTrial& start) {
  if (events_.spool().knows(start.trial_id) || copies_.contains(start.trial_id)) return;
  if (!start.code_tree.empty()) return copy_code(start);
  launch(start, start.working_directory);
}

void TrialTable::copy_code(const proto::StartTrial& start) {
  const auto copy = std::make_shared<Copy>();
  copies_[start.trial_id] = copy;
  asio::post(copying_, [this, start, copy] {
    auto result = copy_code_tree(start.code_tree, code_folder(start.directory), copy->is_stopped);
    asio::post(io_, [this, start, copy, result = std::move(result)] { copy_ended(start, *copy, result); });
  });
}

void TrialTable::copy_ended(const proto::StartTrial& start, const Copy& copy, const proto::Result<void>& result) {
  copies_.erase(start.trial_id);
  if (copy.killed_by) {
    report_failure(start.trial_id, "it was killed before it was started", *copy.killed_by);
  } else if (!copy.is_dropped && !result) {
    report_failure(start.trial_id, result.error().message);
  } else if (!copy.is_dropped) {
    launch(start, code_folder(start.directory));
  }
  if (is_empty()) emptied_();
}

void TrialTable::launch(const proto::StartTrial& start, const std::filesystem::path& working_directory) {
  if (const auto launched = try_launch(start, working_directory); !launched) {
    report_failure(start.trial_id, launched.error().message);
  }
}

proto::Result<void> TrialTable::try_launch(const proto::StartTrial& start,
                                           const std::filesystem::path& working_directory) {
  const auto failed = [](const auto& result) { return tl::unexpected<proto::Error>(result.error()); };
  const auto kind = launcher_kind(start.launcher);
  if (!kind) return failed(kind);
  const auto launcher = launchers_.find(*kind);
  if (!launcher) return failed(launcher);
  auto folder = lay_out(start, working_directory);
  if (!folder) return failed(folder);
  RunningTrial running;
  running.trial_id = start.trial_id;
  running.launcher = *kind;
  running.directory = start.directory;
  running.max_duration_s = start.max_duration_s;
  const auto trial = std::make_shared<Trial>(io_, std::move(running), static_cast<TrialOwner&>(*this));
  Launch launch{start, start.environment, working_directory, std::move(*folder)};
  launch.environment.emplace("LATHE_HOST_DIRECTORY", host_directory_.string());
  auto job = (*launcher)->start(std::move(launch), trial->when_changed());
  if (!job) return failed(job);
  trial->take(std::move(*job));
  watch(*trial);
  const auto pid = trial->job().pid();
  const auto started =
      pid ? std::optional(proto::TrialStarted{trial->id(), *pid, trial->running().started_ms}) : std::nullopt;
  if (auto journalled = events_.start(trial->running(), started); !journalled) {
    unwatch(trial->id());
    launchers_.trial_ended(trial->id());
    trial->forget();
    return journalled;
  }
  trials_[trial->id()] = trial;
  trial->release();
  return {};
}

void TrialTable::report_failure(const std::string& trial_id, const std::string& error, const std::string& killed_by) {
  log_.warn("trial {} cannot be started: {}", trial_id, error);
  proto::TrialExited exited;
  exited.trial_id = trial_id;
  exited.error = to_valid_utf8(error);
  exited.killed_by = killed_by;
  exited.time_ms = unix_time_ms();
  events_.record({{std::move(exited), std::nullopt}});
}

// ---- adopting -------------------------------------------------------------------------------------------------------

void TrialTable::adopt() {
  const auto known = events_.spool().running();
  for (const auto& [trial_id, running] : known) adopt(running);
  launchers_.forget_strangers();
}

void TrialTable::adopt(const RunningTrial& running) {
  const auto trial = std::make_shared<Trial>(io_, running, static_cast<TrialOwner&>(*this));
  const AdoptedTrial adopted{running.trial_id, running.directory, running.job};
  const auto launcher = launchers_.find(running.launcher);
  trial->resume(launcher ? (*launcher)->adopt(adopted, trial->when_changed()) : lost_job(launcher.error().message));
  trials_[trial->id()] = trial;
  watch(*trial);
  log_.info("trial {} is adopted from a former agent", trial->id());
  asio::post(io_, [this, trial_id = trial->id()] { advance(trial_id); });
}

// ---- running --------------------------------------------------------------------------------------------------------

void TrialTable::kill(const std::string& trial_id, const std::string& reason, milliseconds grace) {
  if (const auto trial = trials_.find(trial_id); trial != trials_.end()) trial->second->kill(reason, grace);
  if (const auto copy = copies_.find(trial_id); copy != copies_.end()) {
    copy->second->killed_by = reason;
    copy->second->is_stopped = true;
  }
}

/// A trial that is not started yet is left to the next agent: the daemon asks again after the next Hello.
void TrialTable::kill_all(const std::string& reason, milliseconds grace) {
  for (const auto& [trial_id, trial] : trials_) trial->kill(reason, grace);
  for (const auto& [trial_id, copy] : copies_) copy->is_stopped = copy->is_dropped = true;
}

/// Takes in what the trial has written since, and reports its end when there is nothing more to come.
void TrialTable::advance(const std::string& trial_id) {
  const auto found = trials_.find(trial_id);
  if (found == trials_.end() || events_.is_full()) return;
  const std::shared_ptr<Trial> trial = found->second;
  const bool is_over = trial->is_over();
  MetricTail::Chunk chunk = trial->metrics().read(metric_chunk, is_over);
  std::vector<NewEvent> events;
  for (auto& [payload, end] : chunk.metrics) {
    events.push_back({proto::TrialMetric{trial_id, std::move(payload), unix_time_ms()}, end});
  }
  if (is_over && chunk.at_end) return finish(*trial, std::move(events));
  events_.record(events);
  if (!chunk.at_end) asio::post(io_, [this, trial_id] { advance(trial_id); });
}

void TrialTable::advance_all() {
  for (const std::string& trial_id : running()) advance(trial_id);
}

void TrialTable::finish(Trial& trial, std::vector<NewEvent> events) {
  if (trial.metrics().damaged() > 0) {
    log_.warn("trial {}: {} damaged metric frames were skipped", trial.id(), trial.metrics().damaged());
  }
  const proto::TrialExited exited = trial.exit_event();
  if (exited.lost) log_.warn("trial {} is lost: {}", trial.id(), exited.error);
  unwatch(trial.id());
  launchers_.trial_ended(trial.id());
  events.push_back({exited, std::nullopt});
  events_.record(events);
  // While the disk refuses the event, a next agent needs what the launcher has kept.
  if (!events_.spool().is_waiting_for_disk()) trial.forget();
  const std::string trial_id = trial.id();
  trials_.erase(trial_id);
  ended_(trial_id);
  if (is_empty()) emptied_();
}

std::vector<std::string> TrialTable::running() const {
  std::vector<std::string> trial_ids;
  for (const auto& [trial_id, trial] : trials_) trial_ids.push_back(trial_id);
  return trial_ids;
}

std::vector<proto::TrialNote> TrialTable::notes() const {
  std::vector<proto::TrialNote> notes;
  for (const auto& [trial_id, trial] : trials_) {
    if (auto text = trial->job().note(); !text.empty()) notes.push_back({trial_id, std::move(text)});
  }
  return notes;
}

std::optional<std::filesystem::path> TrialTable::directory_of(const std::string& trial_id) const {
  const auto found = trials_.find(trial_id);
  if (found == trials_.end()) return std::nullopt;
  return found->second->running().directory;
}

std::map<std::int64_t, std::string> TrialTable::sessions() const {
  std::map<std::int64_t, std::string> sessions;
  for (const auto& [trial_id, trial] : trials_) {
    if (const std::int64_t session = trial->job().session(); session != 0) sessions[session] = trial_id;
  }
  return sessions;
}

void TrialTable::watch(const Trial& trial) {
  const std::filesystem::path directory = trial.running().directory;
  const bool is_watched = !trial.job().is_elsewhere() && watch_.add(trial.id(), metrics_folder(directory));
  if (is_watched) return;
  poll_.add(trial.id(), metrics_file(directory));
  if (trial.job().is_elsewhere() || std::exchange(has_complained_, true)) return;
  log_.warn("no more inotify watches: metrics are looked for now and then");
}

void TrialTable::unwatch(const std::string& trial_id) {
  watch_.remove(trial_id);
  poll_.remove(trial_id);
}

}  // namespace lathe::agent
