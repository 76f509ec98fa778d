#include "experiment/requests.hpp"

#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace lathe::manager {

using proto::ExperimentStatus;
using proto::TrialStatus;
using Kind = ServiceError::Kind;

namespace {

/// Trials given by hand that may wait at a time: they are kept in memory.
constexpr std::int64_t kMaxWaiting = 10'000;

void check_positive(proto::Errors& errors, const char* field, std::int64_t value) {
  if (value > 0) return;
  errors.push_back({fmt::format("{} is not allowed; expected a whole number above 0", value), field, {}, 0});
}

proto::Errors check_change(const ExperimentChange& change) {
  proto::Errors errors;
  if (change.trial_concurrency) check_positive(errors, "trialConcurrency", *change.trial_concurrency);
  if (change.max_trial_number && *change.max_trial_number) {
    check_positive(errors, "maxTrialNumber", **change.max_trial_number);
  }
  if (change.max_experiment_duration && *change.max_experiment_duration) {
    check_positive(errors, "maxExperimentDuration", (*change.max_experiment_duration)->count());
  }
  if (change.max_trial_duration && *change.max_trial_duration) {
    check_positive(errors, "maxTrialDuration", (*change.max_trial_duration)->count());
  }
  return errors;
}

template <class T>
void assign(T& target, const std::optional<T>& value) {
  if (value) target = *value;
}

void change_space(Turn& turn, const proto::SearchSpace& space) {
  turn.state.tuner_exhausted = false;
  turn.teach([space](tuners::Tuner& tuner) { tuner.update_search_space(space); });
}

bool is_active(ExperimentStatus status) {
  return !is_at_rest(status) && status != ExperimentStatus::Stopping;
}

std::string limit_in_the_way(const ExperimentState& state) {
  const Situation s = state.situation();
  if (s.max_trials && s.submitted >= *s.max_trials) return fmt::format("maxTrialNumber {} is reached", *s.max_trials);
  if (s.max_run_ms && s.run_ms >= *s.max_run_ms) {
    return fmt::format("maxExperimentDuration {} is over", proto::to_string(*state.config->max_experiment_duration));
  }
  return {};
}

}  // namespace

tl::unexpected<ServiceError> refuse(Kind kind, std::string message, std::string field) {
  return tl::unexpected(ServiceError{kind, {proto::Error{std::move(message), std::move(field), {}, 0}}});
}

tl::unexpected<ServiceError> refuse(const StorageError& error) {
  if (error.kind == StorageError::Kind::Refused) throw std::runtime_error(error.message);
  const bool invalid = error.kind == StorageError::Kind::Invalid;
  return refuse(invalid ? Kind::Invalid : Kind::Unavailable, error.message, error.field);
}

tl::unexpected<ServiceError> no_experiment(const std::string& id) {
  return refuse(Kind::NotFound, fmt::format("there is no experiment {}", id));
}

ServiceResult<void> request_change(Turn& turn, const ExperimentChange& change) {
  if (proto::Errors errors = check_change(change); !errors.empty()) {
    return tl::unexpected(ServiceError{Kind::Invalid, std::move(errors)});
  }
  proto::ExperimentConfig config = *turn.state.config;
  assign(config.trial_concurrency, change.trial_concurrency);
  assign(config.max_trial_number, change.max_trial_number);
  assign(config.max_experiment_duration, change.max_experiment_duration);
  assign(config.max_trial_duration, change.max_trial_duration);
  assign(config.search_space, change.search_space);
  turn.set_config(std::move(config));
  if (change.search_space) change_space(turn, *change.search_space);
  return {};
}

ServiceResult<void> request_stop(Turn& turn) {
  const ExperimentStatus status = turn.state.record().status;
  const bool nothing_runs = turn.state.running() == 0 && !turn.state.preparing();
  if (status == ExperimentStatus::Stopping || (is_at_rest(status) && nothing_runs)) return {};
  turn.set_status(ExperimentStatus::Stopping);
  if (turn.state.preparing())
    turn.tell(turn.state.row.preparation_host,
              proto::KillTrial{preparation_id(turn.state.row), "stop", turn.grace_ms()});
  const auto live = turn.state.live;
  for (const auto& [sequence, trial] : live) {
    if (trial->record.status == TrialStatus::Waiting) {
      turn.end_trial(sequence, TrialStatus::UserCanceled, "its experiment was stopped", turn.now());
    } else if (trial->kill_reason.empty()) {
      turn.edit(sequence).kill_reason = "stop";
      turn.tell(trial->record.host, proto::KillTrial{attempt_id(*trial), "stop", turn.grace_ms()});
    }
  }
  return {};
}

ServiceResult<void> request_resume(Turn& turn) {
  const ExperimentStatus status = turn.state.record().status;
  if (is_active(status)) return {};
  if (!is_at_rest(status)) {
    return refuse(Kind::Conflict,
                  "the experiment is STOPPING: its trials are still being ended; resume it once it is STOPPED");
  }
  if (const std::string limit = limit_in_the_way(turn.state); !limit.empty() && status == ExperimentStatus::Done) {
    return refuse(Kind::Conflict, limit + ": raise it to go on");
  }
  if (status == ExperimentStatus::Done && turn.state.tuner_exhausted) {
    return refuse(Kind::Conflict, "every combination of the search space was tried: change the search space to go on");
  }
  ExperimentRow& row = turn.experiment();
  row.record.error.clear();
  if (row.record.preparation == PreparationState::Failed) {
    row.record.preparation = PreparationState::Waiting;
    ++row.preparation_attempt;
    row.preparation_losses = 0;
  }
  const bool prepared =
      row.record.preparation == PreparationState::None || row.record.preparation == PreparationState::Done;
  turn.set_status(prepared ? ExperimentStatus::Running : ExperimentStatus::Initialized);
  return {};
}

ServiceResult<void> request_cancel(Turn& turn, const std::string& trial_id) {
  const auto trial = turn.state.find(trial_id);
  if (!trial) return refuse(Kind::Conflict, fmt::format("trial {} has ended already", trial_id));
  const std::int64_t sequence = trial->record.sequence;
  if (trial->record.status == TrialStatus::Waiting) {
    turn.end_trial(sequence, TrialStatus::UserCanceled, "cancelled by a user", turn.now());
  } else if (trial->kill_reason.empty()) {
    turn.edit(sequence).kill_reason = "user";
    turn.tell(trial->record.host, proto::KillTrial{attempt_id(*trial), "user", turn.grace_ms()});
  }
  return {};
}

ServiceResult<void> request_trial(Turn& turn, nlohmann::ordered_json parameters, std::string& trial_id) {
  if (!parameters.is_object()) {
    return refuse(Kind::Invalid, fmt::format("expected an object of parameters, found {}", parameters.type_name()),
                  "parameters");
  }
  const ExperimentRecord& record = turn.state.record();
  if (!is_active(record.status) && record.status != ExperimentStatus::Done) {
    return refuse(Kind::Conflict,
                  fmt::format("the experiment is {}: resume it first", proto::to_string(record.status)));
  }
  if (const std::string limit = limit_in_the_way(turn.state); !limit.empty()) return refuse(Kind::Conflict, limit);
  if (record.counts[static_cast<std::size_t>(TrialStatus::Waiting)] >= kMaxWaiting) {
    return refuse(Kind::Conflict, fmt::format("{} trials are waiting already, which is the limit", kMaxWaiting));
  }
  const TrialRow& trial = turn.add_trial(std::move(parameters), "customized");
  trial_id = trial.record.id;
  turn.teach([sequence = trial.record.sequence, given = trial.record.parameters](tuners::Tuner& tuner) {
    tuner.add_pending(sequence, given);
  });
  return {};
}

}  // namespace lathe::manager
