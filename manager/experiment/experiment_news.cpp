// What others see of an experiment: events for listeners, and its folder.
#include <utility>

#include <spdlog/spdlog.h>

#include "experiment/experiment.hpp"
#include "experiment/files.hpp"
#include "experiment/record_summary.hpp"

namespace lathe::manager {

namespace asio = boost::asio;

namespace {

std::string dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

void Experiment::publish(const TurnRows& rows, bool with_config) {
  EventBus& events = context_.events;
  if (!events.wanted()) return;
  const std::string& id = state_.id();
  const auto publish_trial = [&](const TrialRow& trial) {
    TrialRecord record = trial.record;
    if (record.status == proto::TrialStatus::Waiting) record.wait_reason = wait_reason_;
    events.publish(id, "trial", dump(to_json(record)));
  };
  for (const TrialRow& trial : rows.new_trials) publish_trial(trial);
  for (const MetricRow& metric : rows.metrics) events.publish(id, "metric", dump(to_json(metric.record)));
  for (const TrialRow& trial : rows.changed_trials) publish_trial(trial);
  ExperimentRecord record = rows.experiment.record;
  record.obstacle = obstacle();
  record.config = with_config ? *state_.config_json : nlohmann::ordered_json();
  nlohmann::ordered_json json = to_json(record);
  if (!with_config) add_summary(json, *state_.config_json);
  events.publish(id, "experiment", dump(json));
}

/// The waiting trials once more: why they wait has changed.
void Experiment::publish_waiting() {
  if (told_reason_ == wait_reason_ || !context_.events.wanted()) return;
  told_reason_ = wait_reason_;
  constexpr int kMost = 100;
  int told = 0;
  for (const auto& [sequence, trial] : state_.live) {
    if (trial->record.status != proto::TrialStatus::Waiting || ++told > kMost) continue;
    TrialRecord record = trial->record;
    record.wait_reason = wait_reason_;
    context_.events.publish(state_.id(), "trial", dump(to_json(record)));
  }
}

asio::awaitable<void> Experiment::update_files(const Turn& turn) {
  if (!turn.best_changed() && !turn.config_changed()) co_return;
  auto work = [folder = ExperimentFolder{state_.record().directory}, config = state_.config,
               best = turn.best_changed() ? state_.record().best_trial : std::nullopt,
               changed = turn.config_changed()]() -> proto::Result<void> {
    if (changed) {
      if (auto written = write_config(folder, *config); !written) return written;
    }
    if (best) return link_best(folder, *best);
    return {};
  };
  const proto::Result<void> done = co_await on_pool(context_.pool, std::move(work));
  if (!done) spdlog::warn("experiment {}: {}", state_.id(), done.error().message);
}

}  // namespace lathe::manager
