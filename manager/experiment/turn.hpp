// One step in the life of an experiment: a copy of its state, edited by what has happened since the last step, and what
// follows from it. Nothing outside is touched until the rows are committed; then the effects are carried out, in order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <lathe/proto/frames.hpp>
#include <lathe/tuners/tuner.hpp>

#include "experiment/launch.hpp"
#include "experiment/scheduler.hpp"
#include "experiment/state.hpp"
#include "storage/sqlite.hpp"

namespace lathe::manager {

/// Something a tuner has to be told.
using Lesson = std::function<void(tuners::Tuner&)>;

/// Something to be said to a host.
struct Message {
  std::string host;
  std::variant<proto::ToAgent, Launch> content;
};

/// Why a trial is run again.
enum class Rerun { Requeued, Lost, Failed };

/// An event that is part of the state once the turn is committed.
struct HandledEvent {
  std::string state_id;
  std::uint64_t sequence = 0;
};

/// The rows of a turn, ready for the storage thread: copies that nobody changes any more.
struct TurnRows {
  ExperimentRow experiment;
  std::vector<TrialRow> new_trials;
  std::vector<TrialRow> changed_trials;
  std::vector<std::int64_t> forgotten_metrics;  ///< trials whose earlier attempts' metrics go
  std::vector<MetricRow> metrics;
  std::vector<AttemptRow> attempts;  ///< that are over while their trials go on
  AgentProgress progress;

  void write(Connection& connection) const;
};

class Turn {
 public:
  /// `now`: Unix time; `steady`: for run_ms.
  Turn(ExperimentState before, std::int64_t now_ms, Milliseconds steady_ms, std::int64_t grace_ms);

  ExperimentState state;

  [[nodiscard]] Milliseconds now() const { return now_; }
  [[nodiscard]] std::int64_t grace_ms() const { return grace_; }

  // ---- edits ----
  ExperimentRow& experiment();
  /// The live trial for editing; it is written at the end of the turn.
  TrialRow& edit(std::int64_t sequence);
  void set_status(TrialRow& trial, proto::TrialStatus status);
  void set_status(proto::ExperimentStatus status);
  /// The experiment cannot go on.
  void fail(std::string why);
  TrialRow& add_trial(nlohmann::ordered_json parameters, std::string source);
  /// The trial will not change again: counts, best, warnings, and the tuner's lesson follow.
  void end_trial(std::int64_t sequence, proto::TrialStatus status, std::string reason, Milliseconds time_ms);
  /// The trial runs again, as the next attempt; this one stays on record.
  void requeue(std::int64_t sequence, std::string reason, Rerun why);
  void add_metric(MetricRow metric);
  void set_config(proto::ExperimentConfig config);
  void teach(Lesson lesson) { lessons.push_back(std::move(lesson)); }
  void tell(std::string host, proto::ToAgent message) { messages.push_back({std::move(host), std::move(message)}); }
  void tell(std::string host, Launch launch) { messages.push_back({std::move(host), std::move(launch)}); }
  void warn(std::string warning);
  void advance(const std::string& state_id, std::uint64_t sequence);

  /// Carries a decision out: statuses, the starts, the preparation. What starts goes to the stations in their order;
  /// there must be enough of them.
  void apply(const Decision& decision, const std::vector<Station>& stations,
             const std::filesystem::path& trial_program);

  /// True when something was edited, so that a commit is needed.
  [[nodiscard]] bool has_rows() const { return experiment_touched_ || !touched_.empty() || !metrics_.empty(); }
  /// True when the config, the best trial or the status of the experiment changed.
  [[nodiscard]] bool config_changed() const { return config_changed_; }
  [[nodiscard]] bool best_changed() const { return best_changed_; }
  [[nodiscard]] bool experiment_touched() const { return experiment_touched_; }

  [[nodiscard]] TurnRows rows() const;

  // ---- effects, after the commit ----
  std::vector<Lesson> lessons;
  std::vector<Message> messages;
  std::vector<HandledEvent> handled;  ///< may be acknowledged

 private:
  void count_time(Milliseconds steady_ms);
  void rank(const TrialRow& trial);
  void watch_for_common_failure(const TrialRow& trial);
  void start_trial(std::int64_t sequence, const Station& station, const std::filesystem::path& trial_program);

  Milliseconds now_;
  std::int64_t grace_;
  std::map<std::int64_t, std::shared_ptr<TrialRow>> touched_;
  std::set<std::int64_t> fresh_;
  std::set<std::int64_t> forgotten_;
  std::vector<MetricRow> metrics_;
  std::vector<AttemptRow> attempts_;
  bool experiment_touched_ = false;
  bool config_changed_ = false;
  bool best_changed_ = false;
};

}  // namespace lathe::manager
