// Ids of experiments and trials, and the agent's name for one attempt of a trial.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lathe::manager {

/// 8 random characters of a-z0-9.
[[nodiscard]] std::string random_experiment_id();

/// 5 characters, a letter first, for the trial of this sequence number. A permutation keyed by the experiment: no two
/// trials of an experiment get the same id, and nothing has to be looked up.
[[nodiscard]] std::string trial_id_for(std::string_view experiment_id, std::int64_t sequence);

/// `EXPERIMENT/TRIAL/ATTEMPT`: what the agent knows an attempt by. The preparation's trial is `baseline`.
struct AttemptId {
  std::string experiment;
  std::string trial;
  std::int64_t attempt = 0;

  [[nodiscard]] std::string to_string() const;
  /// Where its files lie on another machine, below the experiment's folder: `trials/TRIAL`, `trials/TRIAL.1` for the
  /// second attempt, … A host that was given up and is back may still run the one when it is to start the other.
  [[nodiscard]] std::string folder() const;
  [[nodiscard]] static std::optional<AttemptId> parse(std::string_view text);
  friend bool operator==(const AttemptId&, const AttemptId&) = default;
};

inline constexpr std::string_view preparation_trial = "baseline";

}  // namespace lathe::manager
