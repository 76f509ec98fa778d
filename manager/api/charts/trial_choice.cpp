#include "api/charts/trial_choice.hpp"

#include "analysis/order.hpp"
#include "api/charts/chart_answer.hpp"

namespace lathe::manager {
namespace {

ChosenTrial chosen(const TrialTable& table, std::size_t row) {
  const Column& metric = *table.find("metric");
  return {std::string(table.id(row)), table.sequence(row),
          metric.has(row) ? std::optional(metric.number(row)) : std::nullopt};
}

}  // namespace

proto::Result<std::vector<ChosenTrial>> first_trials(const TrialTable& table, const ExperimentFacts& facts,
                                                     const Filter& filter, const std::optional<SortQuery>& sort,
                                                     std::size_t count) {
  const SortQuery best{"metric", facts.goal_of("metric") == Goal::Maximize};
  const SortQuery& by = sort ? *sort : best;
  const auto order = find_column(table, by.column, "sort");
  if (!order) return tl::unexpected(order.error());
  const auto rows = filter.rows(table);
  if (!rows) return tl::unexpected(rows.error());
  std::vector<ChosenTrial> trials;
  for (const std::uint32_t row : ordered(*order, by.descending, *rows, 0, count)) {
    ChosenTrial trial = chosen(table, row);
    if (sort || trial.metric) trials.push_back(std::move(trial));
  }
  return trials;
}

std::vector<ChosenTrial> named_trials(const TrialTable& table, const std::vector<std::string>& ids) {
  std::vector<ChosenTrial> trials;
  for (const std::string& id : ids) {
    if (const auto row = table.row_of_id(id)) trials.push_back(chosen(table, *row));
  }
  return trials;
}

}  // namespace lathe::manager
