// A tuner proposes parameters and learns from results. No I/O, no clock, no threads: the caller owns time and storage.
//
// A suggestion is a pure function of (space, seed, trial id, what is known of the other trials): the random stream of a
// suggestion is derived from the seed and the trial's id, and the order in which trials finished does not matter. So a
// tuner that is rebuilt by replaying add_pending() and complete() for every recorded trial goes on exactly as the one
// that died.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include <lathe/proto/experiment_config.hpp>
#include <lathe/proto/search_space.hpp>

namespace lathe::tuners {

/// The sequence number of a trial: unique in its experiment, counting up from 0 in the order of submission.
using TrialId = std::int64_t;

class Tuner {
 public:
  virtual ~Tuner() = default;

  /// Parameters for trial `id`, as the trial receives them: {name: value, nested: {"_name": …, sub: value}}. The trial
  /// counts as pending from here on. nullopt: nothing is left to suggest (a finite space is exhausted); ask again after
  /// the space has changed. Throws std::logic_error for an id that has parameters already.
  [[nodiscard]] virtual std::optional<nlohmann::ordered_json> suggest(TrialId id) = 0;

  /// A trial that exists without having been suggested here: replayed after a restart, or added by hand. Parameters
  /// that do not fit the space are ignored one by one (that trial then teaches nothing about them). Ids that are known
  /// are ignored.
  virtual void add_pending(TrialId id, const nlohmann::ordered_json& parameters) = 0;

  /// A pending trial ended. `metric` in the user's own sense (not negated); nullopt: failed, cancelled, or reported
  /// nothing usable. Ids that are not pending are ignored.
  virtual void complete(TrialId id, std::optional<double> metric) = 0;

  /// Replaces the space; what is known of the trials so far is re-read against the new one.
  virtual void update_search_space(const proto::SearchSpace& space) = 0;
};

/// The tuner a config asks for. `config.seed` must be set. Throws std::invalid_argument, naming the key, for class_args
/// that parse_experiment_config would have refused.
[[nodiscard]] std::unique_ptr<Tuner> make_tuner(const proto::TunerConfig& config, const proto::SearchSpace& space);

}  // namespace lathe::tuners
