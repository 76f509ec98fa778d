#include "experiment/turn.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "experiment/files.hpp"
#include "experiment/ids.hpp"
#include "storage/attempt_table.hpp"
#include "storage/experiment_table.hpp"
#include "storage/metric_table.hpp"
#include "storage/trial_table.hpp"

namespace lathe::manager {

using proto::ExperimentStatus;
using proto::TrialStatus;

namespace {

/// This many trials failing alike, with no other among them, is told as a warning.
constexpr std::int64_t kCommonFailures = 5;

}  // namespace

void TurnRows::write(Connection& connection) const {
  update_experiment(connection, experiment);
  for (const TrialRow& trial : new_trials) insert_trial(connection, trial);
  for (const TrialRow& trial : changed_trials) update_trial(connection, trial);
  const std::string& id = experiment.record.id;
  for (const std::int64_t trial : forgotten_metrics) delete_metrics(connection, id, trial);
  for (const MetricRow& metric : metrics) store_metric(connection, metric);
  for (const AttemptRow& attempt : attempts) insert_attempt(connection, attempt);
  for (const auto& [state_id, sequence] : progress) store_progress(connection, id, state_id, sequence);
}

Turn::Turn(ExperimentState before, Milliseconds now_ms, Milliseconds steady_ms, std::int64_t grace_ms)
    : state(std::move(before)), now_(now_ms), grace_(grace_ms) {
  count_time(steady_ms);
}

void Turn::count_time(Milliseconds steady_ms) {
  if (counts_time(state.record().status) && state.ticked_at > 0) {
    state.row.record.run_ms += std::max<Milliseconds>(0, steady_ms - state.ticked_at);
  }
  state.ticked_at = steady_ms;
}

ExperimentRow& Turn::experiment() {
  experiment_touched_ = true;
  return state.row;
}

TrialRow& Turn::edit(std::int64_t sequence) {
  auto touched = touched_.find(sequence);
  if (touched == touched_.end()) {
    auto copy = std::make_shared<TrialRow>(*state.live.at(sequence));
    state.live[sequence] = copy;
    touched = touched_.emplace(sequence, std::move(copy)).first;
  }
  return *touched->second;
}

void Turn::set_status(TrialRow& trial, TrialStatus status) {
  TrialCounts& counts = experiment().record.counts;
  --counts[static_cast<std::size_t>(trial.record.status)];
  ++counts[static_cast<std::size_t>(status)];
  trial.record.status = status;
}

void Turn::set_status(ExperimentStatus status) {
  if (state.record().status == status) return;
  ExperimentRecord& record = experiment().record;
  record.status = status;
  record.end_ms.reset();
  if (is_at_rest(status)) record.end_ms = now_;
  if (status == ExperimentStatus::Running && !record.start_ms) record.start_ms = now_;
}

void Turn::fail(std::string why) {
  experiment().record.error = std::move(why);
  set_status(ExperimentStatus::Error);
}

TrialRow& Turn::add_trial(nlohmann::ordered_json parameters, std::string source) {
  ExperimentRecord& experiment_record = experiment().record;
  auto trial = std::make_shared<TrialRow>();
  TrialRecord& record = trial->record;
  record.experiment_id = experiment_record.id;
  record.sequence = experiment_record.next_sequence++;
  record.id = trial_id_for(experiment_record.id, record.sequence);
  record.status = TrialStatus::Waiting;
  record.source = std::move(source);
  record.parameters = std::move(parameters);
  record.submit_ms = now_;
  record.directory = ExperimentFolder{experiment_record.directory}.trial(record.id).string();
  ++experiment_record.counts[static_cast<std::size_t>(TrialStatus::Waiting)];
  state.live[record.sequence] = trial;
  touched_[record.sequence] = trial;
  fresh_.insert(record.sequence);
  return *trial;
}

void Turn::end_trial(std::int64_t sequence, TrialStatus status, std::string reason, Milliseconds time_ms) {
  TrialRow& trial = edit(sequence);
  set_status(trial, status);
  trial.kill_reason.clear();
  trial.record.reason = std::move(reason);
  trial.record.end_ms = time_ms;
  if (status != TrialStatus::Succeeded) trial.record.metric.reset();
  teach([sequence, metric = trial.record.metric](tuners::Tuner& tuner) { tuner.complete(sequence, metric); });
  rank(trial);
  watch_for_common_failure(trial);
  state.live.erase(sequence);
}

void Turn::requeue(std::int64_t sequence, std::string reason, Rerun why) {
  TrialRow& trial = edit(sequence);
  if (trial.record.status != TrialStatus::Waiting) set_status(trial, TrialStatus::Waiting);
  TrialRecord& record = trial.record;
  attempts_.push_back({record.experiment_id, sequence, {record.attempt, record.host, record.start_ms, now_, reason}});
  ++record.attempt;
  if (why == Rerun::Lost) ++trial.losses;
  if (why == Rerun::Failed) ++trial.failures;
  trial.agent.clear();
  trial.kill_reason.clear();
  record.reason = std::move(reason);
  record.start_ms.reset();
  record.pid.reset();
  record.host.clear();
  record.gpus.clear();
  record.metric.reset();
  record.final_metric = nullptr;
  record.note.clear();
  record.intermediate_count = 0;
  forgotten_.insert(sequence);
  std::erase_if(metrics_, [sequence](const MetricRow& metric) { return metric.trial == sequence; });
}

void Turn::add_metric(MetricRow metric) {
  metrics_.push_back(std::move(metric));
}

void Turn::set_config(proto::ExperimentConfig config) {
  config_changed_ = experiment_touched_ = true;
  state.config_json = std::make_shared<const nlohmann::ordered_json>(proto::to_json(config));
  state.config = std::make_shared<const proto::ExperimentConfig>(std::move(config));
}

void Turn::warn(std::string warning) {
  auto& warnings = experiment().record.warnings;
  if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) warnings.push_back(std::move(warning));
}

void Turn::advance(const std::string& state_id, std::uint64_t sequence) {
  std::uint64_t& last = state.progress[state_id];
  last = std::max(last, sequence);
  experiment_touched_ = true;
}

void Turn::rank(const TrialRow& trial) {
  const auto& metric = trial.record.metric;
  if (!metric || !is_better(*metric, state.record().best_metric, state.config->tuner.optimize_mode)) return;
  ExperimentRecord& record = experiment().record;
  record.best_trial = trial.record.id;
  record.best_metric = metric;
  best_changed_ = true;
}

void Turn::watch_for_common_failure(const TrialRow& trial) {
  FailureStreak& streak = state.streak;
  if (!streak.unbroken) return;
  const bool alike =
      trial.record.status == TrialStatus::Failed && (streak.failures == 0 || streak.reason == trial.record.reason);
  if (!alike) {
    streak.unbroken = false;
    return;
  }
  streak.reason = trial.record.reason;
  if (++streak.failures == kCommonFailures) {
    warn(fmt::format("the first {} trials all failed with the same reason: {}; see the stderr of any of them",
                     kCommonFailures, streak.reason));
  }
}

void Turn::start_trial(std::int64_t sequence, const Station& station, const std::filesystem::path& trial_program) {
  TrialRow& trial = edit(sequence);
  set_status(trial, TrialStatus::Running);
  trial.agent = station.hello.state_id;
  trial.record.host = station.spec.id;
  trial.record.gpus = station.gpus;
  trial.record.start_ms = now_;
  trial.record.reason.clear();
  tell(station.spec.id, launch_trial(state, trial, station, trial_program));
}

void Turn::apply(const Decision& decision, const std::vector<Station>& stations,
                 const std::filesystem::path& trial_program) {
  set_status(decision.status);
  for (const std::int64_t sequence : decision.give_up) {
    end_trial(sequence, TrialStatus::SysCanceled, "maxExperimentDuration was over before it could start", now_);
  }
  if (decision.prepare) {
    ExperimentRow& row = experiment();
    row.record.preparation = PreparationState::Running;
    row.record.baseline = nullptr;
    const Station& station = stations.at(0);
    row.preparation_agent = station.hello.state_id;
    row.preparation_host = station.spec.id;
    tell(station.spec.id, launch_preparation(state, station, trial_program));
  }
  for (std::size_t i = 0; i < decision.start.size(); ++i) start_trial(decision.start[i], stations.at(i), trial_program);
}

TurnRows Turn::rows() const {
  TurnRows rows;
  rows.experiment = state.row;
  if (config_changed_) rows.experiment.record.config = *state.config_json;
  for (const auto& [sequence, trial] : touched_) {
    (fresh_.contains(sequence) ? rows.new_trials : rows.changed_trials).push_back(*trial);
  }
  rows.forgotten_metrics.assign(forgotten_.begin(), forgotten_.end());
  rows.metrics = metrics_;
  rows.attempts = attempts_;
  rows.progress = state.progress;
  return rows;
}

}  // namespace lathe::manager
