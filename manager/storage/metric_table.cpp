#include "storage/metric_table.hpp"

#include <optional>
#include <vector>

#include <fmt/format.h>
#include <sqlite3.h>

#include "storage/cursor.hpp"
#include "storage/json_text.hpp"

namespace lathe::manager {

namespace {

constexpr std::string_view kFinal = "FINAL";
constexpr std::string_view kPeriodical = "PERIODICAL";

std::string_view name_of(proto::MetricType type) {
  return type == proto::MetricType::Final ? kFinal : kPeriodical;
}

const std::string kSelect =
    "SELECT t.id, m.type, m.sequence, m.time_ms, m.value, m.number, m.attempt FROM metrics m "
    "JOIN trials t ON t.experiment_id = m.experiment_id AND t.sequence = m.trial ";

MetricRecord read_metric(const Statement& row) {
  MetricRecord record;
  record.trial_id = row.text(0);
  record.type = row.text(1) == kFinal ? proto::MetricType::Final : proto::MetricType::Periodical;
  record.sequence = row.integer(2);
  record.time_ms = row.integer(3);
  record.value = json_from(row.text(4));
  return record;
}

std::vector<std::string_view> types_of(const MetricQuery& query) {
  if (query.type) return {name_of(*query.type)};
  return {kPeriodical, kFinal};  // the order in which a trial reports them
}

/// Where a page ended: a type and two numbers, (row number, 0) or, within one trial, (attempt, sequence).
struct Place {
  std::string_view type;
  std::int64_t first = 0;
  std::int64_t second = 0;
};

std::optional<Place> place_from(const std::string& cursor) {
  const auto parts = split_cursor(cursor, 3);
  if (!parts) return std::nullopt;
  const auto first = cursor_integer(parts->at(1));
  const auto second = cursor_integer(parts->at(2));
  if (!first || !second) return std::nullopt;
  if (parts->at(0) == "F") return Place{kFinal, *first, *second};
  if (parts->at(0) == "P") return Place{kPeriodical, *first, *second};
  return std::nullopt;
}

Statement open_range(Connection& connection, const MetricQuery& query, std::int64_t trial, const Place& after) {
  const std::string where = query.trial_id
                                ? "WHERE m.experiment_id = ? AND m.type = ? AND m.trial = ? AND "
                                  "(m.attempt, m.sequence) > (?, ?) ORDER BY m.attempt, m.sequence"
                                : "WHERE m.experiment_id = ? AND m.type = ? AND m.number > ? ORDER BY m.number";
  Statement statement = connection.prepare(kSelect + where);
  statement.bind(query.experiment_id).bind(after.type);
  if (query.trial_id)
    statement.bind(trial).bind(after.first).bind(after.second);
  else
    statement.bind(after.first);
  return statement;
}

std::string place_of_row(const Statement& row, const MetricQuery& query) {
  const char type = row.text(1) == kFinal ? 'F' : 'P';
  if (query.trial_id) return fmt::format("{}:{}:{}", type, row.integer(6), row.integer(2));
  return fmt::format("{}:{}:0", type, row.integer(5));
}

std::int64_t sequence_of(Connection& connection, const MetricQuery& query) {
  Statement statement = connection.prepare("SELECT sequence FROM trials WHERE experiment_id = ? AND id = ?");
  statement.bind(query.experiment_id).bind(query.trial_id);
  return statement.step() ? statement.integer(0) : -1;
}

/// Adds rows of one type; false: the page is full and there is more.
bool add_rows(Statement statement, const MetricQuery& query, Page<MetricRecord>& page, std::string& last) {
  while (statement.step()) {
    if (static_cast<std::int64_t>(page.items.size()) == query.limit) {
      page.next_cursor = last;
      return false;
    }
    page.items.push_back(read_metric(statement));
    last = place_of_row(statement, query);
  }
  return true;
}

}  // namespace

bool store_metric(Connection& connection, const MetricRow& row) {
  const bool last_wins = row.record.type == proto::MetricType::Final;
  Statement statement = connection.prepare(
      std::string("INSERT INTO metrics (experiment_id, trial, type, attempt, sequence, time_ms, value) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO ") +
      (last_wins ? "UPDATE SET time_ms = excluded.time_ms, value = excluded.value" : "NOTHING"));
  statement.bind(row.experiment_id).bind(row.trial).bind(name_of(row.record.type)).bind(row.attempt);
  statement.bind(last_wins ? std::int64_t{0} : row.record.sequence).bind(row.record.time_ms);
  statement.bind(json_text(row.record.value)).step();
  return sqlite3_changes(connection.handle()) > 0;
}

void delete_metrics(Connection& connection, const std::string& experiment_id, std::int64_t trial) {
  Statement statement = connection.prepare("DELETE FROM metrics WHERE experiment_id = ? AND trial = ?");
  statement.bind(experiment_id).bind(trial).step();
}

StorageResult<Page<MetricRecord>> page_of_metrics(Connection& connection, const MetricQuery& query) {
  std::optional<Place> after;
  if (!query.cursor.empty()) {
    after = place_from(query.cursor);
    if (!after || (query.type && name_of(*query.type) != after->type)) return bad_cursor(query.cursor);
  }
  const std::int64_t trial = query.trial_id ? sequence_of(connection, query) : -1;
  Page<MetricRecord> page;
  std::string last;
  for (const std::string_view type : types_of(query)) {
    if (after && type == kPeriodical && after->type == kFinal) continue;
    const Place from = after && after->type == type ? *after : Place{type, -1, -1};
    if (!add_rows(open_range(connection, query, trial, from), query, page, last)) break;
  }
  return page;
}

void scan_metrics(Connection& connection, const std::string& experiment_id, const std::vector<std::int64_t>& trials,
                  const std::function<void(std::int64_t trial, const MetricRecord&)>& each) {
  for (const std::int64_t trial : trials) {
    Statement statement = connection.prepare(
        kSelect + "WHERE m.experiment_id = ? AND m.type = ? AND m.trial = ? ORDER BY m.attempt, m.sequence");
    statement.bind(experiment_id).bind(kPeriodical).bind(trial);
    while (statement.step()) each(trial, read_metric(statement));
  }
}

}  // namespace lathe::manager
