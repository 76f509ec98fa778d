// GET experiments/{id}/history, …/front and …/importance: what the search has found.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "analysis/importance.hpp"
#include "analysis/pareto.hpp"
#include "analysis/sampling.hpp"
#include "api/charts/chart_answer.hpp"
#include "api/charts/chart_query.hpp"
#include "http/problem.hpp"

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

/// Points of the front that are told at most.
constexpr std::size_t most_front_items = 2000;

// ---- history ----

proto::Result<ordered_json> history_json(const TrialTable& table, const ExperimentFacts& facts,
                                         const HistoryQuery& query) {
  const auto column = find_numbers(table, query.column, "column");
  if (!column) return tl::unexpected(column.error());
  const auto rows = query.filter.rows(table);
  if (!rows) return tl::unexpected(rows.error());
  const std::optional<Goal> goal = query.goal ? query.goal : facts.goal_of(query.column);
  const Column nothing(query.column, ColumnGroup::Metric, ColumnType::Number);
  const Column& values = *column != nullptr ? **column : nothing;
  const History history = history_of(values, *rows, static_cast<std::size_t>(query.points), goal);
  ordered_json json{{"total", history.total}, {"sampled", history.points.size() < history.total}};
  if (goal) json["goal"] = to_string(*goal);
  json["sequence"] = json["value"] = json["best"] = ordered_json::array();
  for (const std::uint32_t row : history.points) {
    json["sequence"].push_back(table.sequence(row));
    json["value"].push_back(json_number(values.number(row)));
  }
  for (const std::uint32_t row : history.best)
    json["best"].push_back({table.sequence(row), json_number(values.number(row))});
  return json;
}

// ---- front ----

struct ObjectiveColumn {
  std::string name;
  const Column* column = nullptr;  ///< null: no trial has it
  Goal goal = Goal::Minimize;
};
using Objectives = std::vector<ObjectiveColumn>;

proto::Result<Objectives> objectives_of(const TrialTable& table, const ExperimentFacts& facts,
                                        const FrontQuery& query) {
  Objectives objectives;
  for (const FrontQuery::Objective& wanted : query.objectives) {
    const auto column = find_numbers(table, wanted.column, "objectives");
    if (!column) return tl::unexpected(column.error());
    const auto goal = wanted.goal ? wanted.goal : facts.goal_of(wanted.column);
    if (!goal) {
      return proto::fail(fmt::format("whether more of {0} is better is not known, expected {0}:min or {0}:max",
                                     wanted.column.substr(0, 100)),
                         "objectives");
    }
    objectives.push_back({wanted.column, *column, *goal});
  }
  return objectives;
}

/// The rows that have a value of every objective.
Rows measured_rows(const Objectives& objectives, const Rows& rows) {
  Rows measured;
  for (const std::uint32_t row : rows) {
    const bool is_measured = std::all_of(objectives.begin(), objectives.end(), [&](const ObjectiveColumn& objective) {
      return objective.column != nullptr && objective.column->has(row);
    });
    if (is_measured) measured.push_back(row);
  }
  return measured;
}

Rows front_rows(const Objectives& objectives, const Rows& rows) {
  std::vector<ObjectivePoint> points;
  for (const std::uint32_t row : rows) {
    ObjectivePoint point{};
    for (std::size_t i = 0; i < objectives.size(); ++i) {
      const double value = objectives[i].column->number(row);
      point[i] = objectives[i].goal == Goal::Maximize ? -value : value;
    }
    points.push_back(point);
  }
  Rows front;
  for (const std::size_t place : pareto_front(points)) front.push_back(rows[place]);
  return front;
}

ordered_json values_json(const Objectives& objectives, std::uint32_t row) {
  ordered_json values = ordered_json::array();
  for (const ObjectiveColumn& objective : objectives) values.push_back(json_number(objective.column->number(row)));
  return values;
}

ordered_json points_json(const TrialTable& table, const Objectives& objectives, const Rows& rows,
                         const RowMask* feasible) {
  ordered_json points{
      {"sequence", ordered_json::array()}, {"id", ordered_json::array()}, {"values", ordered_json::array()}};
  if (feasible != nullptr) points["feasible"] = ordered_json::array();
  for (const std::uint32_t row : rows) {
    points["sequence"].push_back(table.sequence(row));
    points["id"].push_back(table.id(row));
    points["values"].push_back(values_json(objectives, row));
    if (feasible != nullptr) points["feasible"].push_back((*feasible)[row] != 0);
  }
  return points;
}

/// The original model; null for an objective that it has no value of; nothing when it has none at all.
ordered_json baseline_json(const ExperimentFacts& facts, const Objectives& objectives) {
  ordered_json values = ordered_json::array();
  bool is_known = false;
  for (const ObjectiveColumn& objective : objectives) {
    const auto value = facts.baseline_of(objective.name);
    values.push_back(value ? json_number(*value) : ordered_json());
    is_known = is_known || value.has_value();
  }
  return is_known ? values : ordered_json();
}

proto::Error of_constraint(proto::Error error) {
  error.field = "constraint";
  return error;
}

proto::Result<ordered_json> front_json(const TrialTable& table, const ExperimentFacts& facts, const FrontQuery& query) {
  const auto objectives = objectives_of(table, facts, query);
  if (!objectives) return tl::unexpected(objectives.error());
  const auto matched = query.filter.rows(table);
  if (!matched) return tl::unexpected(matched.error());
  const auto feasible = query.constraint.mask(table);
  if (!feasible) return tl::unexpected(of_constraint(feasible.error()));
  const Rows measured = measured_rows(*objectives, *matched);
  Rows eligible = measured;
  std::erase_if(eligible, [&](std::uint32_t row) { return (*feasible)[row] == 0; });
  const Rows front = front_rows(*objectives, eligible);
  ordered_json json{{"objectives", ordered_json::array()}, {"matched", measured.size()}, {"frontSize", front.size()}};
  for (const ObjectiveColumn& objective : *objectives)
    json["objectives"].push_back({{"column", objective.name}, {"goal", to_string(objective.goal)}});
  json["items"] = ordered_json::array();
  for (const std::uint32_t row : even_rows(front, most_front_items)) {
    json["items"].push_back(
        {{"id", table.id(row)}, {"sequence", table.sequence(row)}, {"values", values_json(*objectives, row)}});
  }
  RowMask is_on_front(table.rows());
  for (const std::uint32_t row : front) is_on_front[row] = 1;
  Rows others = measured;
  std::erase_if(others, [&](std::uint32_t row) { return is_on_front[row] != 0; });
  json["points"] = points_json(table, *objectives, even_rows(others, static_cast<std::size_t>(query.points)),
                               query.constraint.is_everything() ? nullptr : &*feasible);
  if (ordered_json baseline = baseline_json(facts, *objectives); !baseline.is_null()) json["baseline"] = baseline;
  return json;
}

// ---- importance ----

proto::Result<ordered_json> importance_json(const TrialTable& table, const ExperimentFacts& facts,
                                            const ImportanceQuery& query) {
  const auto column = find_numbers(table, query.column, "column");
  if (!column) return tl::unexpected(column.error());
  const std::optional<Goal> goal = query.goal ? query.goal : facts.goal_of(query.column);
  if (!goal) {
    return proto::fail(
        fmt::format("whether more of {} is better is not known, expected it here", query.column.substr(0, 100)),
        "goal");
  }
  const auto space = facts.search_space();
  const Column nothing(query.column, ColumnGroup::Metric, ColumnType::Number);
  const Importance importance = importance_of(table, *column != nullptr ? **column : nothing, *goal,
                                              space.value_or(proto::SearchSpace{}), query.top);
  ordered_json json{{"trials", importance.trials}, {"topTrials", importance.top_trials}};
  json["items"] = ordered_json::array();
  for (const ParameterImportance& item : importance.items) {
    json["items"].push_back(
        {{"parameter", item.parameter}, {"importance", json_number(item.importance)}, {"regimes", item.regimes}});
  }
  if (!importance.reason.empty()) json["reason"] = importance.reason;
  return json;
}

/// Binds a query to what makes a chart of it.
template <class Query, class Make>
Chart chart_of(Query query, Make make) {
  return [query = std::move(query), make](const TrialTable& table, const ExperimentFacts& facts) {
    return make(table, facts, query);
  };
}

}  // namespace

HandlerResult show_history(const HttpRequest& request, const ApiContext& context) {
  auto query = parse_history_query(request.query);
  if (!query) co_return bad_request(query.error());
  co_return co_await answer_from_table(request, context, chart_of(std::move(*query), history_json));
}

HandlerResult show_front(const HttpRequest& request, const ApiContext& context) {
  auto query = parse_front_query(request.query);
  if (!query) co_return bad_request(query.error());
  co_return co_await answer_from_table(request, context, chart_of(std::move(*query), front_json));
}

HandlerResult show_importance(const HttpRequest& request, const ApiContext& context) {
  auto query = parse_importance_query(request.query);
  if (!query) co_return bad_request(query.error());
  co_return co_await answer_from_table(request, context, chart_of(std::move(*query), importance_json));
}

}  // namespace lathe::manager
