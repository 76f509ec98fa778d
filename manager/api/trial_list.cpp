// GET experiments/{id}/trials: a page by the database's indices where one has that order, else by the table of trials.
#include <algorithm>
#include <memory>
#include <utility>

#include "analysis/order.hpp"
#include "api/blocking.hpp"
#include "api/charts/chart_answer.hpp"
#include "api/charts/chart_query.hpp"
#include "api/service_problem.hpp"
#include "api/trial_tables.hpp"
#include "http/problem.hpp"

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

/// Numbers of the trials of a page.
struct FoundTrials {
  std::size_t total = 0;
  std::vector<std::int64_t> sequences;
};

/// Only a page's worth of trials, but each may be large: written on the pool.
HandlerResult page_of(std::vector<TrialRecord> trials, std::size_t total, std::string next_cursor,
                      const ApiContext& context) {
  auto write = [trials = std::move(trials), total, next_cursor = std::move(next_cursor)] {
    ordered_json json{{"items", ordered_json::array()}, {"total", total}};
    for (const TrialRecord& trial : trials) json["items"].push_back(to_json(trial));
    if (!next_cursor.empty()) json["nextCursor"] = next_cursor;
    return json_response(json);
  };
  co_return co_await run_blocking(context.pool, std::move(write));
}

std::size_t count_of(const ExperimentRecord& record, const std::vector<proto::TrialStatus>& statuses) {
  std::int64_t total = 0;
  for (const proto::TrialStatus status : proto::all_trial_statuses) {
    const bool is_meant = statuses.empty() || std::find(statuses.begin(), statuses.end(), status) != statuses.end();
    if (is_meant) total += record.counts[static_cast<std::size_t>(status)];
  }
  return static_cast<std::size_t>(std::max<std::int64_t>(total, 0));
}

TrialSort sort_of(const SortQuery& sort) {
  if (sort.column == "metric") return sort.descending ? TrialSort::MetricDescending : TrialSort::MetricAscending;
  return sort.descending ? TrialSort::SequenceDescending : TrialSort::SequenceAscending;
}

HandlerResult list_by_index(const HttpRequest& request, const ApiContext& context, TrialListQuery query) {
  TrialQuery wanted;
  wanted.experiment_id = request.path_value("id");
  wanted.statuses = query.statuses;
  wanted.sort = sort_of(query.sort);
  wanted.limit = query.limit;
  wanted.cursor = std::move(query.cursor);
  const auto record = co_await context.service.show(wanted.experiment_id);
  if (!record) co_return service_problem(record.error(), request);
  auto page = co_await context.service.list_trials(std::move(wanted));
  if (!page) co_return service_problem(page.error(), request);
  co_return co_await page_of(std::move(page->items), count_of(*record, query.statuses), std::move(page->next_cursor),
                             context);
}

/// Keeps the rows whose status is one of these.
void keep_statuses(const TrialTable& table, const std::vector<proto::TrialStatus>& statuses, Rows& rows) {
  if (statuses.empty()) return;
  const Column& column = *table.find("status");
  std::vector<bool> is_meant(column.texts().size());
  for (const proto::TrialStatus status : statuses) {
    if (const auto code = column.texts().find(proto::to_string(status))) is_meant[*code] = true;
  }
  std::erase_if(rows, [&](std::uint32_t row) { return !column.has(row) || !is_meant[column.code(row)]; });
}

proto::Result<FoundTrials> find_page(const TrialTable& table, const TrialListQuery& query) {
  const auto order = find_column(table, query.sort.column, "sort");
  if (!order) return tl::unexpected(order.error());
  auto rows = query.filter.rows(table);
  if (!rows) return tl::unexpected(rows.error());
  keep_statuses(table, query.statuses, *rows);
  FoundTrials found{rows->size(), {}};
  const Rows page = ordered(*order, query.sort.descending, *rows, static_cast<std::size_t>(query.offset),
                            static_cast<std::size_t>(query.limit));
  for (const std::uint32_t row : page) found.sequences.push_back(table.sequence(row));
  return found;
}

HandlerResult list_by_table(const HttpRequest& request, const ApiContext& context, TrialListQuery query) {
  const std::string id = request.path_value("id");
  auto record = co_await context.service.show(id);
  if (!record) co_return service_problem(record.error(), request);
  auto work = [query = std::move(query)](const TrialTable& table) { return find_page(table, query); };
  const std::string key = question_key(request, ExperimentFacts(std::move(*record)));
  const auto found = co_await context.tables->ask(id, key, std::move(work));
  if (!found) co_return service_problem(found.error(), request);
  if (!*found) co_return bad_request(found->error());
  auto trials = co_await context.service.find_trials(id, (*found)->sequences);
  if (!trials) co_return service_problem(trials.error(), request);
  co_return co_await page_of(std::move(*trials), (*found)->total, {}, context);
}

}  // namespace

HandlerResult list_trials(const HttpRequest& request, const ApiContext& context) {
  auto query = parse_trial_list_query(request.query);
  if (!query) co_return bad_request(query.error());
  if (query->needs_table) co_return co_await list_by_table(request, context, std::move(*query));
  co_return co_await list_by_index(request, context, std::move(*query));
}

}  // namespace lathe::manager
