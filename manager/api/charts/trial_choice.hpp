// Which trials a chart of some trials shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/filter.hpp"
#include "api/charts/chart_query.hpp"
#include "api/charts/experiment_facts.hpp"

namespace lathe::manager {

struct ChosenTrial {
  std::string id;
  std::int64_t sequence = 0;
  std::optional<double> metric;
};

/// The first `count` trials that pass the filter, by `sort`; without it those with the best metric, of which trials
/// that have none are no part.
[[nodiscard]] proto::Result<std::vector<ChosenTrial>> first_trials(const TrialTable& table,
                                                                   const ExperimentFacts& facts, const Filter& filter,
                                                                   const std::optional<SortQuery>& sort,
                                                                   std::size_t count);

/// Those of the ids that there are.
[[nodiscard]] std::vector<ChosenTrial> named_trials(const TrialTable& table, const std::vector<std::string>& ids);

}  // namespace lathe::manager
