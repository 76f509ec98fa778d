#include "experiment/loading.hpp"

#include "experiment/clock.hpp"
#include "storage/experiment_table.hpp"
#include "storage/trial_table.hpp"

namespace lathe::manager {

using proto::ExperimentStatus;
using proto::TrialStatus;

namespace {

bool limit_is_reached(const ExperimentState& state) {
  const Situation s = state.situation();
  return (s.max_trials && s.submitted >= *s.max_trials) || (s.max_run_ms && s.run_ms >= *s.max_run_ms);
}

FailureStreak streak_of(Connection& connection, const ExperimentRecord& record) {
  FailureStreak streak;
  for_each_outcome(connection, record.id, [&streak](const TrialOutcome& outcome) {
    if (!proto::is_final(outcome.status) || !streak.unbroken) return;
    streak.unbroken =
        outcome.status == TrialStatus::Failed && (streak.failures == 0 || streak.reason == outcome.reason);
    if (!streak.unbroken) return;
    streak.reason = outcome.reason;
    ++streak.failures;
  });
  return streak;
}

/// Only while nothing but failures has been seen is it worth reading the trials.
bool may_be_unbroken(const ExperimentRecord& record) {
  return record.counts[static_cast<std::size_t>(TrialStatus::Failed)] > 0 &&
         record.counts[static_cast<std::size_t>(TrialStatus::Succeeded)] == 0;
}

}  // namespace

StorageResult<std::optional<ExperimentState>> load_state(Connection& connection, const std::string& id) {
  std::optional<ExperimentRow> row = find_experiment(connection, id);
  if (!row) return std::optional<ExperimentState>();
  proto::ConfigOrigin origin;
  origin.canonical = true;
  const auto config = proto::parse_experiment_config(row->record.config.dump(), origin);
  if (!config) {
    const std::string why = "its stored config cannot be read: " + proto::to_string(config.error());
    return tl::unexpected(StorageError{StorageError::Kind::Refused, why, {}});
  }
  ExperimentState state;
  state.config = std::make_shared<const proto::ExperimentConfig>(*config);
  state.config_json = std::make_shared<const nlohmann::ordered_json>(std::move(row->record.config));
  row->record.config = nullptr;
  state.row = std::move(*row);
  for (TrialRow& trial : live_trials(connection, id)) {
    const std::int64_t sequence = trial.record.sequence;
    state.live.emplace(sequence, std::make_shared<const TrialRow>(std::move(trial)));
  }
  state.progress = find_progress(connection, id);
  if (may_be_unbroken(state.record()))
    state.streak = streak_of(connection, state.record());
  else
    state.streak.unbroken = state.record().counts[static_cast<std::size_t>(TrialStatus::Succeeded)] == 0;
  const ExperimentStatus status = state.record().status;
  state.tuner_exhausted =
      status == ExperimentStatus::TunerNoMoreTrial || (status == ExperimentStatus::Done && !limit_is_reached(state));
  return state;
}

void condemn(Connection& connection, const std::string& id, const std::string& why) {
  connection.prepare("UPDATE experiments SET status = 'ERROR', error = ?, end_ms = ? WHERE id = ?")
      .bind(why)
      .bind(unix_now())
      .bind(id)
      .step();
  connection
      .prepare(
          "UPDATE trials SET status = 'SYS_CANCELED', reason = ?, end_ms = ? "
          "WHERE experiment_id = ? AND status IN ('WAITING', 'RUNNING')")
      .bind(why)
      .bind(unix_now())
      .bind(id)
      .step();
}

}  // namespace lathe::manager
