// GET experiments/{id}/columns and …/table.
#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "analysis/regimes.hpp"
#include "analysis/sampling.hpp"
#include "api/charts/chart_answer.hpp"
#include "api/charts/chart_query.hpp"
#include "api/query.hpp"
#include "http/problem.hpp"

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t most_values = 50;
/// Of the texts of all columns together; the columns behind are told without.
constexpr std::size_t most_value_bytes = answer_bytes / 2;

/// How often each text occurs, the most frequent first.
ordered_json text_values(const Column& column, std::size_t rows) {
  std::vector<std::pair<std::size_t, Column::Code>> counts(column.texts().size());
  for (Column::Code code = 0; code < counts.size(); ++code) counts[code].second = code;
  for (std::size_t row = 0; row < rows; ++row) {
    if (column.has(row)) ++counts[column.code(row)].first;
  }
  std::erase_if(counts, [](const auto& entry) { return entry.first == 0; });
  // Where each text occurs once, as in ids, there is nothing to choose from.
  if (counts.size() > most_values && counts.size() == column.count()) return nullptr;
  const auto end = counts.begin() + static_cast<std::ptrdiff_t>(std::min(most_values, counts.size()));
  std::partial_sort(counts.begin(), end, counts.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  ordered_json values = ordered_json::array();
  for (auto entry = counts.begin(); entry != end; ++entry)
    values.push_back({{"value", column.texts().text(entry->second)}, {"count", entry->first}});
  return values;
}

ordered_json truth_values(const Column& column, std::size_t rows) {
  std::size_t truths = 0;
  for (std::size_t row = 0; row < rows; ++row) truths += column.has(row) && column.number(row) != 0 ? 1 : 0;
  return {{{"value", false}, {"count", column.count() - truths}}, {{"value", true}, {"count", truths}}};
}

void add_range(ordered_json& item, const Column& column, std::size_t rows) {
  double low = 0;
  double high = 0;
  bool is_first = true;
  for (std::size_t row = 0; row < rows; ++row) {
    if (!column.has(row)) continue;
    low = is_first ? column.number(row) : std::min(low, column.number(row));
    high = is_first ? column.number(row) : std::max(high, column.number(row));
    is_first = false;
  }
  if (is_first) return;
  item["min"] = json_number(low);
  item["max"] = json_number(high);
}

/// The columns of parameters that were drawn on a logarithmic scale.
std::map<std::string, bool> logarithmic_columns(const ExperimentFacts& facts) {
  std::map<std::string, bool> columns;
  const auto space = facts.search_space();
  if (!space) return columns;
  for (const ParameterRegimes& parameter : regimes_of(*space)) {
    for (const Regime& regime : parameter.regimes) {
      const auto* grid = std::get_if<OrderedGrid>(&regime.grid);
      columns[parameter.column] = columns[parameter.column] || (grid != nullptr && grid->log);
    }
  }
  return columns;
}

void add_values(ordered_json& item, ordered_json& values, std::size_t& budget) {
  const std::size_t bytes = json_text(values).size();
  if (bytes > budget) return;
  budget -= bytes;
  item["values"] = std::move(values);
}

ordered_json describe(const Column& column, std::size_t rows, std::size_t& budget) {
  ordered_json item{{"name", column.name()},
                    {"group", to_string(column.group())},
                    {"type", to_string(column.type())},
                    {"count", column.count()}};
  if (column.is_text()) {
    if (ordered_json values = text_values(column, rows); !values.is_null()) add_values(item, values, budget);
  } else if (column.type() == ColumnType::Boolean) {
    item["values"] = truth_values(column, rows);
  } else {
    add_range(item, column, rows);
  }
  return item;
}

ordered_json columns_of(const TrialTable& table, const ExperimentFacts& facts) {
  ordered_json json{{"trials", table.rows()}};
  if (table.omitted() > 0) json["omitted"] = table.omitted();
  json["items"] = ordered_json::array();
  const std::map<std::string, bool> logarithmic = logarithmic_columns(facts);
  std::size_t budget = most_value_bytes;
  for (const Column* column : table.columns()) {
    ordered_json item = describe(*column, table.rows(), budget);
    const auto log = logarithmic.find(column->name());
    if (log != logarithmic.end() && !column->is_text()) item["log"] = log->second;
    if (const auto goal = facts.goal_of(column->name())) item["goal"] = to_string(*goal);
    json["items"].push_back(std::move(item));
  }
  return json;
}

using NamedColumns = std::vector<std::pair<std::string, const Column*>>;

ordered_json rows_json(const TrialTable& table, const NamedColumns& columns, const Rows& rows) {
  ordered_json json{{"sequence", ordered_json::array()}, {"id", ordered_json::array()}};
  for (const std::uint32_t row : rows) {
    json["sequence"].push_back(table.sequence(row));
    json["id"].push_back(table.id(row));
  }
  ordered_json& values = json["columns"] = ordered_json::object();
  for (const auto& [name, column] : columns) {
    ordered_json& list = values[name] = ordered_json::array();
    for (const std::uint32_t row : rows) list.push_back(column == nullptr ? ordered_json() : json_value(*column, row));
  }
  return json;
}

/// The rows that are asked for, in their order, before the bound on the answer's size.
proto::Result<Rows> wanted_rows(const TrialTable& table, const ExperimentFacts& facts, const TableQuery& query,
                                const NamedColumns& columns, const Rows& matched) {
  const auto order = find_column(table, query.sort.column, "sort");
  if (!order) return tl::unexpected(order.error());
  if (!query.sample) {
    return ordered(*order, query.sort.descending, matched, static_cast<std::size_t>(query.offset),
                   static_cast<std::size_t>(query.limit));
  }
  std::vector<const Column*> shown;
  for (const auto& entry : columns) shown.push_back(entry.second);
  const Rows some = characteristic_rows(matched, static_cast<std::size_t>(*query.sample), table.find("metric"),
                                        facts.goal_of("metric") == Goal::Maximize, shown);
  return ordered(*order, query.sort.descending, some, 0, some.size());
}

/// Takes rows away until the answer fits.
ordered_json fitting_rows(const TrialTable& table, const NamedColumns& columns, Rows rows, bool evenly) {
  for (;;) {
    ordered_json json = rows_json(table, columns, rows);
    const std::size_t bytes = json_text(json).size();
    if (bytes <= answer_bytes || rows.empty()) return json;
    const auto count = static_cast<std::size_t>(0.95 * static_cast<double>(rows.size()) *
                                                static_cast<double>(answer_bytes) / static_cast<double>(bytes));
    if (evenly) {
      rows = even_rows(rows, count);
    } else {
      rows.resize(count);
    }
  }
}

proto::Result<ordered_json> table_of(const TrialTable& table, const ExperimentFacts& facts, const TableQuery& query) {
  NamedColumns columns;
  for (const std::string& name : query.columns) {
    const auto column = find_column(table, name, "columns");
    if (!column) return tl::unexpected(column.error());
    columns.emplace_back(name, *column);
  }
  const auto matched = query.filter.rows(table);
  if (!matched) return tl::unexpected(matched.error());
  const auto rows = wanted_rows(table, facts, query, columns, *matched);
  if (!rows) return tl::unexpected(rows.error());
  ordered_json values = fitting_rows(table, columns, *rows, query.sample.has_value());
  const std::size_t shown = values["sequence"].size();
  const bool is_sampled = shown < rows->size() || (query.sample && shown < matched->size());
  ordered_json json{{"total", table.rows()}, {"matched", matched->size()}, {"sampled", is_sampled}};
  json.update(values);
  return json;
}

}  // namespace

HandlerResult list_columns(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  co_return co_await answer_from_table(request, context, columns_of);
}

HandlerResult show_table(const HttpRequest& request, const ApiContext& context) {
  auto query = parse_table_query(request.query);
  if (!query) co_return bad_request(query.error());
  Chart chart = [query = std::move(*query)](const TrialTable& table, const ExperimentFacts& facts) {
    return table_of(table, facts, query);
  };
  co_return co_await answer_from_table(request, context, std::move(chart));
}

}  // namespace lathe::manager
