// An experiment's JSON in words and numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "json.hpp"
#include "output/style.hpp"
#include "output/table.hpp"

namespace lathe::cli {

/// How far an experiment is, from its JSON.
struct ExperimentProgress {
  std::int64_t ended = 0;  ///< trials that will not change again
  std::int64_t succeeded = 0;
  std::int64_t running = 0;
  std::int64_t waiting = 0;
  std::optional<std::int64_t> limit;  ///< maxTrialNumber
};
[[nodiscard]] ExperimentProgress progress_of(const Json& experiment);

/// Seconds until the limit of trials or of time is reached, whichever comes first, at the pace so far. `age`: seconds
/// since the JSON was made. nullopt: no limit, or nothing to extrapolate from yet.
[[nodiscard]] std::optional<double> time_left(const Json& experiment, double age);

/// `12/16 trials, 2 running, 1 failed`.
[[nodiscard]] std::string count_text(const Json& experiment);
/// `0.9714 (trial Ab3xY)`, or empty.
[[nodiscard]] std::string best_text(const Json& experiment);

/// Whether its trials are lathe-trial's, which measure size and speed.
[[nodiscard]] bool is_compression(const Json& experiment);

/// Everything about one experiment, a line each.
[[nodiscard]] std::string describe_experiment(const Json& experiment, const Palette& palette);

[[nodiscard]] Table experiment_table();
void add_experiment(Table& table, const Json& experiment);

}  // namespace lathe::cli
