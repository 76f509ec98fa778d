#include "experiment/scheduler.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace lathe::manager {

namespace {

using proto::ExperimentStatus;

bool time_is_over(const Situation& s) {
  return s.max_run_ms && s.run_ms >= *s.max_run_ms;
}

bool limit_is_reached(const Situation& s) {
  return time_is_over(s) || (s.max_trials && s.submitted >= *s.max_trials);
}

bool preparation_is_open(const Situation& s) {
  return s.preparation == PreparationState::Waiting || s.preparation == PreparationState::Running;
}

ExperimentStatus next_status(const Situation& s, bool all_ended) {
  if (is_at_rest(s.status) && s.status != ExperimentStatus::Done) return s.status;
  if (s.status == ExperimentStatus::Stopping) {
    const bool ended = s.running == 0 && s.preparation != PreparationState::Running;
    return ended ? ExperimentStatus::Stopped : ExperimentStatus::Stopping;
  }
  if (s.preparation == PreparationState::Failed) return ExperimentStatus::Error;
  if (preparation_is_open(s)) return ExperimentStatus::Initialized;
  if (limit_is_reached(s)) return all_ended ? ExperimentStatus::Done : ExperimentStatus::NoMoreTrial;
  if (s.tuner_exhausted) return all_ended ? ExperimentStatus::Done : ExperimentStatus::TunerNoMoreTrial;
  return ExperimentStatus::Running;
}

std::vector<std::int64_t> in_order_of_priority(std::vector<WaitingTrial> waiting) {
  std::sort(waiting.begin(), waiting.end(), [](const WaitingTrial& a, const WaitingTrial& b) {
    return a.customized != b.customized ? a.customized : a.sequence < b.sequence;
  });
  std::vector<std::int64_t> order;
  for (const WaitingTrial& trial : waiting) order.push_back(trial.sequence);
  return order;
}

/// How many to ask the tuner for: as many as can start, since later suggestions know more; but one at least is put
/// forward even when nothing can start, so that its wait reason can be seen.
std::int64_t wanted_suggestions(const Situation& s, std::int64_t startable) {
  const auto waiting = static_cast<std::int64_t>(s.waiting.size());
  std::int64_t room = s.concurrency - s.running - waiting;
  if (s.max_trials) room = std::min(room, *s.max_trials - s.submitted);
  return std::max<std::int64_t>(0, std::min(room, std::max<std::int64_t>(startable, 1) - waiting));
}

std::string reason_to_wait(const Situation& s) {
  const bool cannot_prepare = s.preparation == PreparationState::Waiting && !s.obstacle.empty();
  if (preparation_is_open(s) && !cannot_prepare) return "the original model is being measured first";
  if (!s.obstacle.empty()) return s.obstacle;
  if (s.running >= s.concurrency) {
    return s.concurrency == 1 ? std::string("the 1 trial of trialConcurrency is running")
                              : fmt::format("all {} trials of trialConcurrency are running", s.concurrency);
  }
  return "it is about to be started";
}

}  // namespace

bool counts_time(ExperimentStatus status) {
  return status == ExperimentStatus::Running || status == ExperimentStatus::NoMoreTrial ||
         status == ExperimentStatus::TunerNoMoreTrial;
}

bool is_at_rest(ExperimentStatus status) {
  return status == ExperimentStatus::Done || status == ExperimentStatus::Stopped || status == ExperimentStatus::Error ||
         status == ExperimentStatus::Viewed;
}

Decision decide(const Situation& s) {
  Decision decision;
  decision.status = next_status(s, s.running == 0 && s.waiting.empty());
  if (time_is_over(s) && counts_time(decision.status)) {
    decision.give_up = in_order_of_priority(s.waiting);
    decision.status = next_status(s, s.running == 0);
    return decision;
  }
  const bool can_start = !s.closing && s.obstacle.empty();
  decision.prepare = can_start && decision.status == ExperimentStatus::Initialized &&
                     s.preparation == PreparationState::Waiting && s.free_slots > 0;
  decision.wait_reason = s.closing ? "the daemon is being stopped" : reason_to_wait(s);
  if (!counts_time(decision.status) || s.closing) return decision;
  const std::int64_t startable =
      can_start ? std::max<std::int64_t>(0, std::min(s.concurrency - s.running, s.free_slots)) : 0;
  decision.start = in_order_of_priority(s.waiting);
  if (startable < static_cast<std::int64_t>(decision.start.size())) {
    decision.start.resize(static_cast<std::size_t>(startable));
  }
  if (decision.status == ExperimentStatus::Running) decision.suggest = wanted_suggestions(s, startable);
  return decision;
}

}  // namespace lathe::manager
