#include "experiment/agent_events.hpp"

#include <algorithm>
#include <type_traits>

#include <fmt/format.h>

#include <lathe/proto/trial_files.hpp>

#include "experiment/ids.hpp"
#include "experiment/launch.hpp"
#include "experiment/outcome.hpp"

namespace lathe::manager {

using proto::TrialStatus;

namespace {

void set_note(TrialRow& trial, std::string note) {
  if (trial.record.note.empty()) trial.record.note = std::move(note);
}

// ---- trials ----

void on_started(Turn& turn, std::int64_t sequence, const proto::TrialStarted& started) {
  TrialRecord& record = turn.edit(sequence).record;
  record.pid = started.pid;
  record.start_ms = started.time_ms;
}

void on_final(TrialRow& trial, const proto::MetricReport& report) {
  TrialRecord& record = trial.record;
  if (!record.final_metric.is_null()) set_note(trial, "reported its final metric more than once; the last one counts");
  record.final_metric = report.value;
  record.metric = report.scalar();
  if (!record.metric) set_note(trial, "its final metric has no finite number");
}

void on_metric(Turn& turn, std::int64_t sequence, const proto::TrialMetric& metric) {
  TrialRow& trial = turn.edit(sequence);
  const proto::Result<proto::MetricReport> report = proto::parse_metric(metric.payload);
  if (!report) {
    set_note(trial, "a metric could not be read: " + report.error().to_string());
    return;
  }
  if (report->type == proto::MetricType::RequestParameter) return;
  if (report->type == proto::MetricType::Final)
    on_final(trial, *report);
  else
    ++trial.record.intermediate_count;
  const bool is_final = report->type == proto::MetricType::Final;
  turn.add_metric({trial.record.experiment_id,
                   sequence,
                   trial.record.attempt,
                   {trial.record.id, report->type, is_final ? 0 : report->sequence, metric.time_ms, report->value}});
}

void on_exited(Turn& turn, std::int64_t sequence, const proto::TrialExited& exited) {
  TrialRow& trial = turn.edit(sequence);
  const proto::ExperimentConfig& config = *turn.state.config;
  const Outcome outcome =
      outcome_of(exited, {trial.kill_reason, !trial.record.final_metric.is_null(), trial.losses,
                          config.max_retries.lost, config.max_trial_duration, trial.record.pid.has_value()});
  if (outcome.status == TrialStatus::Waiting) {
    turn.requeue(sequence, outcome.reason, outcome.lost ? Rerun::Lost : Rerun::Requeued);
    return;
  }
  if (outcome.status == TrialStatus::Failed && !outcome.lost && trial.failures < config.max_retries.failed) {
    turn.requeue(sequence, outcome.reason, Rerun::Failed);
    return;
  }
  trial.record.exit_code = exited.exit_code;
  trial.record.signal = exited.signal;
  if (outcome.status == TrialStatus::Succeeded && trial.record.final_metric.is_null()) {
    set_note(trial, "ended without reporting a final metric");
  }
  if (outcome.status == TrialStatus::Failed) trial.record.stderr_tail = exited.stderr_tail;
  turn.end_trial(sequence, outcome.status, outcome.reason, exited.time_ms);
}

// ---- the preparation ----

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of(" \n");
  if (end == std::string::npos) return {};
  const std::size_t begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

void fail_preparation(Turn& turn, std::string why) {
  ExperimentRow& row = turn.experiment();
  row.record.preparation = PreparationState::Failed;
  row.record.error = std::move(why);
}

void end_preparation(Turn& turn, const proto::TrialExited& exited) {
  ExperimentRow& row = turn.experiment();
  const Outcome outcome = outcome_of(
      exited,
      {"", !row.record.baseline.is_null(), row.preparation_losses, turn.state.config->max_retries.lost, {}, true});
  if (outcome.status == TrialStatus::Waiting || outcome.status == TrialStatus::UserCanceled) {
    row.record.preparation = PreparationState::Waiting;
    ++row.preparation_attempt;
    if (outcome.lost) ++row.preparation_losses;
    return;
  }
  if (outcome.status == TrialStatus::Succeeded && !row.record.baseline.is_null()) {
    row.record.preparation = PreparationState::Done;
    return;
  }
  if (outcome.status == TrialStatus::Succeeded) {
    fail_preparation(turn, "measuring the original model failed: it ended without reporting a measurement");
    return;
  }
  const std::string detail = last_line(exited.stderr_tail);
  fail_preparation(turn, fmt::format("measuring the original model failed: {}{}{}", outcome.reason,
                                     detail.empty() ? "" : ": ", detail));
}

void on_preparation(Turn& turn, const proto::AgentEvent& event) {
  if (const auto* metric = std::get_if<proto::TrialMetric>(&event)) {
    const auto report = proto::parse_metric(metric->payload);
    if (report && report->type == proto::MetricType::Final) turn.experiment().record.baseline = report->value;
  } else if (const auto* exited = std::get_if<proto::TrialExited>(&event)) {
    end_preparation(turn, *exited);
  }
}

const std::string& trial_of(const proto::AgentEvent& event) {
  return std::visit([](const auto& kind) -> const std::string& { return kind.trial_id; }, event);
}

void take_trial_event(Turn& turn, std::int64_t sequence, const proto::AgentEvent& event) {
  if (const auto* started = std::get_if<proto::TrialStarted>(&event))
    on_started(turn, sequence, *started);
  else if (const auto* metric = std::get_if<proto::TrialMetric>(&event))
    on_metric(turn, sequence, *metric);
  else
    on_exited(turn, sequence, std::get<proto::TrialExited>(event));
}

proto::TrialExited lost(const std::string& attempt, std::string why, Milliseconds time_ms) {
  proto::TrialExited exited;
  exited.trial_id = attempt;
  exited.error = std::move(why);
  exited.lost = true;
  exited.time_ms = time_ms;
  return exited;
}

void greet_preparation(Turn& turn, const Station& station, bool runs, const std::filesystem::path& trial_program) {
  const std::string id = preparation_id(turn.state.row);
  const bool stopping = turn.state.record().status == proto::ExperimentStatus::Stopping;
  if (!runs && turn.state.row.preparation_agent != station.hello.state_id) {
    end_preparation(turn, lost(id, "its agent is gone", turn.now()));
    return;
  }
  const std::string& host = station.spec.id;
  if (!runs) turn.tell(host, launch_preparation(turn.state, station, trial_program));
  if (stopping) turn.tell(host, proto::KillTrial{id, "stop", turn.grace_ms()});
}

void greet_trial(Turn& turn, const TrialRow& trial, Station station, bool runs,
                 const std::filesystem::path& trial_program) {
  const std::string id = attempt_id(trial);
  if (!runs && trial.agent != station.hello.state_id) {
    on_exited(turn, trial.record.sequence, lost(id, "its agent is gone", turn.now()));
    return;
  }
  const std::string host = station.spec.id;
  station.gpus = trial.record.gpus;
  if (!runs) turn.tell(host, launch_trial(turn.state, trial, station, trial_program));
  if (!trial.kill_reason.empty()) turn.tell(host, proto::KillTrial{id, trial.kill_reason, turn.grace_ms()});
}

/// Calls `each` with every trial that is RUNNING on the host. It may change the trials.
template <class Each>
void for_trials_on(const Turn& turn, const std::string& host, Each each) {
  const auto live = turn.state.live;
  for (const auto& [sequence, trial] : live) {
    if (trial->record.status == TrialStatus::Running && trial->record.host == host) each(*trial);
  }
}

bool prepares_on(const Turn& turn, const std::string& host) {
  return turn.state.preparing() && turn.state.row.preparation_host == host;
}

}  // namespace

void take_event(Turn& turn, const std::string& state_id, const proto::SequencedEvent& event) {
  turn.handled.push_back({state_id, event.sequence});
  const auto known = turn.state.progress.find(state_id);
  if (known != turn.state.progress.end() && event.sequence <= known->second) return;
  turn.advance(state_id, event.sequence);
  const std::string& id = trial_of(event.event);
  if (turn.state.preparing() && id == preparation_id(turn.state.row)) {
    on_preparation(turn, event.event);
    return;
  }
  const auto parsed = AttemptId::parse(id);
  const auto trial = parsed ? turn.state.find(parsed->trial) : nullptr;
  const bool present =
      trial && trial->record.status == TrialStatus::Running && trial->record.attempt == parsed->attempt;
  if (present) take_trial_event(turn, trial->record.sequence, event.event);
}

void take_greeting(Turn& turn, const Station& station, const std::filesystem::path& trial_program) {
  const auto runs = [&running = station.hello.running](const std::string& id) {
    return std::find(running.begin(), running.end(), id) != running.end();
  };
  const std::string& host = station.spec.id;
  if (prepares_on(turn, host)) greet_preparation(turn, station, runs(preparation_id(turn.state.row)), trial_program);
  for_trials_on(turn, host, [&](const TrialRow& trial) {
    greet_trial(turn, trial, station, runs(attempt_id(trial)), trial_program);
  });
}

void take_loss(Turn& turn, const std::string& host, const std::string& why, bool is_outlived) {
  const std::string reason = fmt::format("host {} was lost: {}", host, why);
  if (prepares_on(turn, host)) end_preparation(turn, lost(preparation_id(turn.state.row), reason, turn.now()));
  for_trials_on(turn, host, [&](const TrialRow& trial) {
    if (is_outlived && trial.kill_reason.empty()) return;
    on_exited(turn, trial.record.sequence, lost(attempt_id(trial), reason, turn.now()));
  });
}

void take_failed_start(Turn& turn, const std::string& attempt, const std::string& why) {
  if (turn.state.preparing() && attempt == preparation_id(turn.state.row)) {
    ExperimentRow& row = turn.experiment();
    row.record.preparation = PreparationState::Waiting;
    ++row.preparation_attempt;
    return;
  }
  const auto parsed = AttemptId::parse(attempt);
  const auto trial = parsed ? turn.state.find(parsed->trial) : nullptr;
  const bool present =
      trial && trial->record.status == TrialStatus::Running && trial->record.attempt == parsed->attempt;
  if (!present) return;
  const std::int64_t sequence = trial->record.sequence;
  if (trial->kill_reason.empty())
    turn.requeue(sequence, why, Rerun::Requeued);
  else
    on_exited(turn, sequence, lost(attempt, why, turn.now()));
}

}  // namespace lathe::manager
