// An experiment as a value: what is kept in memory of it. Copied for each turn, so that a turn whose commit fails
// leaves no trace; the parts that are large are shared and never changed in place.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <lathe/proto/experiment_config.hpp>

#include "experiment/scheduler.hpp"
#include "storage/agent_table.hpp"
#include "storage/rows.hpp"

namespace lathe::manager {

/// Whether every trial so far has failed for the same reason: then something is wrong with all of them.
struct FailureStreak {
  bool unbroken = true;
  std::int64_t failures = 0;
  std::string reason;
};

struct ExperimentState {
  ExperimentRow row;  ///< without record.config, which is `config_json`
  std::shared_ptr<const proto::ExperimentConfig> config;
  std::shared_ptr<const nlohmann::ordered_json> config_json;
  /// The trials that are WAITING or RUNNING, by sequence. The ended ones are in the database only.
  std::map<std::int64_t, std::shared_ptr<const TrialRow>> live;
  AgentProgress progress;
  FailureStreak streak;
  bool tuner_exhausted = false;
  Milliseconds ticked_at = 0;  ///< steady_now() up to which run_ms has counted

  [[nodiscard]] const ExperimentRecord& record() const { return row.record; }
  [[nodiscard]] const std::string& id() const { return row.record.id; }

  [[nodiscard]] std::int64_t running() const;
  [[nodiscard]] bool preparing() const { return row.record.preparation == PreparationState::Running; }
  /// The live trial of that id; null: it has ended, or never was.
  [[nodiscard]] std::shared_ptr<const TrialRow> find(const std::string& trial_id) const;
  /// Whether an agent that runs this attempt does so for us.
  [[nodiscard]] bool is_running(const std::string& attempt_id) const;

  /// Everything decide() asks for but what the host and the daemon add: free_slots, obstacle, closing.
  [[nodiscard]] Situation situation() const;
};

/// What the agent calls the trial's, or the preparation's, present attempt.
[[nodiscard]] std::string attempt_id(const TrialRow& row);
[[nodiscard]] std::string preparation_id(const ExperimentRow& row);

/// True when `metric` beats `best` (or is the first).
[[nodiscard]] bool is_better(double metric, const std::optional<double>& best, proto::OptimizeMode mode);

}  // namespace lathe::manager
