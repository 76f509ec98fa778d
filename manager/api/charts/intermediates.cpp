// GET experiments/{id}/intermediates: what trials reported on their way.
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "analysis/sampling.hpp"
#include "api/blocking.hpp"
#include "api/charts/chart_answer.hpp"
#include "api/charts/chart_query.hpp"
#include "api/charts/trial_choice.hpp"
#include "api/service_problem.hpp"
#include "api/trial_tables.hpp"
#include "http/problem.hpp"

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

/// Points of all lines together: 1 MB is never reached.
constexpr std::size_t most_points = 25'000;

struct Line {
  std::vector<std::int64_t> x;
  std::vector<double> y;
};
using Lines = std::map<std::int64_t, Line>;  ///< by trial

/// The number that a report says under a key; a plain number is `default`.
std::optional<double> value_of(const ordered_json& report, const std::string& key) {
  const ordered_json* value = &report;
  if (report.is_object()) {
    const auto found = report.find(key);
    if (found == report.end()) return std::nullopt;
    value = &*found;
  } else if (key != "default") {
    return std::nullopt;
  }
  if (!value->is_number() || !std::isfinite(value->get<double>())) return std::nullopt;
  return value->get<double>();
}

ordered_json lines_json(const std::vector<ChosenTrial>& trials, const Lines& lines, std::size_t points) {
  ordered_json items = ordered_json::array();
  for (const ChosenTrial& trial : trials) {
    ordered_json item{{"id", trial.id}, {"sequence", trial.sequence}};
    item["x"] = item["y"] = ordered_json::array();
    if (const auto line = lines.find(trial.sequence); line != lines.end()) {
      for (const std::size_t place : peaks(line->second.y, points)) {
        item["x"].push_back(line->second.x[place]);
        item["y"].push_back(json_number(line->second.y[place]));
      }
    }
    items.push_back(std::move(item));
  }
  return {{"items", std::move(items)}};
}

proto::Result<std::vector<ChosenTrial>> choose(const TrialTable& table, const ExperimentFacts& facts,
                                               const SeriesQuery& query) {
  if (!query.trials.empty()) return named_trials(table, query.trials);
  return first_trials(table, facts, Filter(), std::nullopt, static_cast<std::size_t>(query.top));
}

}  // namespace

HandlerResult list_intermediates(const HttpRequest& request, const ApiContext& context) {
  auto query = parse_series_query(request.query);
  if (!query) co_return bad_request(query.error());
  const std::string id = request.path_value("id");
  auto record = co_await context.service.show(id);
  if (!record) co_return service_problem(record.error(), request);
  const auto facts = std::make_shared<const ExperimentFacts>(std::move(*record));
  const auto wanted = std::make_shared<const SeriesQuery>(std::move(*query));
  auto choosing = [facts, wanted](const TrialTable& table) { return choose(table, *facts, *wanted); };
  const auto trials = co_await context.tables->ask(id, question_key(request, *facts), std::move(choosing));
  if (!trials) co_return service_problem(trials.error(), request);
  if (!*trials) co_return bad_request(trials->error());
  std::vector<std::int64_t> sequences;
  for (const ChosenTrial& trial : **trials) sequences.push_back(trial.sequence);
  const auto lines = std::make_shared<Lines>();
  const auto read = [lines, wanted](std::int64_t trial, const MetricRecord& metric) {
    const auto value = value_of(metric.value, wanted->key);
    if (!value) return;
    (*lines)[trial].x.push_back(metric.sequence);
    (*lines)[trial].y.push_back(*value);
  };
  const auto scanned = co_await context.service.scan_metrics(id, sequences, read);
  if (!scanned) co_return service_problem(scanned.error(), request);
  const std::size_t each = std::max<std::size_t>(4, most_points / std::max<std::size_t>(1, sequences.size()));
  const std::size_t points = std::min(static_cast<std::size_t>(wanted->points), each);
  auto write = [chosen = **trials, lines, points] { return json_response(lines_json(chosen, *lines, points)); };
  co_return co_await run_blocking(context.pool, std::move(write));
}

}  // namespace lathe::manager
