#include "experiment/state.hpp"

#include "experiment/ids.hpp"

namespace lathe::manager {

using proto::TrialStatus;

std::int64_t ExperimentState::running() const {
  return row.record.counts[static_cast<std::size_t>(TrialStatus::Running)];
}

std::shared_ptr<const TrialRow> ExperimentState::find(const std::string& trial_id) const {
  for (const auto& [sequence, trial] : live) {
    if (trial->record.id == trial_id) return trial;
  }
  return nullptr;
}

bool ExperimentState::is_running(const std::string& id) const {
  if (preparing() && preparation_id(row) == id) return true;
  for (const auto& [sequence, trial] : live) {
    if (trial->record.status == TrialStatus::Running && attempt_id(*trial) == id) return true;
  }
  return false;
}

Situation ExperimentState::situation() const {
  Situation s;
  s.status = record().status;
  s.preparation = record().preparation;
  s.concurrency = config->trial_concurrency;
  s.submitted = record().next_sequence;
  s.max_trials = config->max_trial_number;
  s.run_ms = record().run_ms;
  if (config->max_experiment_duration)
    s.max_run_ms = std::chrono::milliseconds(*config->max_experiment_duration).count();
  s.running = running();
  for (const auto& [sequence, trial] : live) {
    if (trial->record.status != TrialStatus::Waiting) continue;
    s.waiting.push_back({sequence, trial->record.source == "customized"});
  }
  s.tuner_exhausted = tuner_exhausted;
  return s;
}

std::string attempt_id(const TrialRow& row) {
  return AttemptId{row.record.experiment_id, row.record.id, row.record.attempt}.to_string();
}

std::string preparation_id(const ExperimentRow& row) {
  return AttemptId{row.record.id, std::string(preparation_trial), row.preparation_attempt}.to_string();
}

bool is_better(double metric, const std::optional<double>& best, proto::OptimizeMode mode) {
  if (!best) return true;
  return mode == proto::OptimizeMode::Maximize ? metric > *best : metric < *best;
}

}  // namespace lathe::manager
