// Trials' JSON as tables and in words.
#pragma once

#include <string>
#include <vector>

#include "json.hpp"
#include "output/style.hpp"
#include "output/table.hpp"

namespace lathe::cli {

/// All trials of a list: number, ID, status, parameters, metric, measures of compression experiments, duration, remark.
[[nodiscard]] Table trial_table(const std::vector<Json>& trials);

/// The trials in the order given as ranks 1, 2, …; above them the original model, when `experiment` has measured one.
[[nodiscard]] Table best_table(const Json& experiment, const std::vector<Json>& trials);

/// Everything about one trial, a line each.
[[nodiscard]] std::string describe_trial(const Json& trial, const Palette& palette);

/// Whether a larger metric is better, by the experiment's config.
[[nodiscard]] bool is_maximized(const Json& experiment);

}  // namespace lathe::cli
