// One page of trials. Every status has its own index range in the wanted order; a page is the merge of these ranges,
// read row by row, so its cost is that of its rows.
#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "storage/cursor.hpp"
#include "storage/json_text.hpp"
#include "storage/trial_row.hpp"
#include "storage/trial_table.hpp"

namespace lathe::manager {

namespace {

/// Where a trial stands in an order: those with a metric first when ordered by it, then by sequence.
struct Key {
  bool measured = false;
  double metric = 0;
  std::int64_t sequence = 0;
};

bool by_metric(TrialSort sort) {
  return sort == TrialSort::MetricAscending || sort == TrialSort::MetricDescending;
}

bool descends(TrialSort sort) {
  return sort == TrialSort::SequenceDescending || sort == TrialSort::MetricDescending;
}

bool comes_before(const Key& a, const Key& b, TrialSort sort) {
  if (a.measured != b.measured) return a.measured;
  if (a.metric != b.metric) return (a.metric < b.metric) != descends(sort);
  return (a.sequence < b.sequence) != descends(sort);
}

Key key_of(const TrialRecord& record, TrialSort sort) {
  if (!by_metric(sort) || !record.metric) return {false, 0, record.sequence};
  return {true, *record.metric, record.sequence};
}

std::string to_cursor(const Key& key) {
  return fmt::format("{}:{}", key.measured ? cursor_text(key.metric) : "-", key.sequence);
}

std::optional<Key> from_cursor(const std::string& cursor) {
  const auto parts = split_cursor(cursor, 2);
  if (!parts) return std::nullopt;
  const auto sequence = cursor_integer(parts->at(1));
  if (!sequence) return std::nullopt;
  if (parts->at(0) == "-") return Key{false, 0, *sequence};
  const auto metric = cursor_number(parts->at(0));
  if (!metric) return std::nullopt;
  return Key{true, *metric, *sequence};
}

/// A range of one index: the trials of one status, with or without a metric, after a key.
struct Range {
  std::string sql;
  bool measured = false;
  bool from_key = false;
};

Range make_range(proto::TrialStatus status, TrialSort sort, bool measured, bool from_key) {
  const std::string_view order = descends(sort) ? "DESC" : "ASC";
  const std::string_view after = descends(sort) ? "<" : ">";
  // INDEXED BY makes SQLite refuse to scan or sort, should its planner ever think otherwise.
  std::string sql =
      fmt::format("SELECT {} FROM trials INDEXED BY {} WHERE experiment_id = ? AND status = '{}'", trial_columns(),
                  by_metric(sort) ? "trials_by_metric" : "trials_by_status", proto::to_string(status));
  if (measured) {
    sql += from_key ? fmt::format(" AND metric IS NOT NULL AND (metric, sequence) {} (?, ?)", after)
                    : " AND metric IS NOT NULL";
    sql += fmt::format(" ORDER BY metric {0}, sequence {0}", order);
  } else {
    if (by_metric(sort)) sql += " AND metric IS NULL";
    if (from_key) sql += fmt::format(" AND sequence {} ?", after);
    sql += fmt::format(" ORDER BY sequence {}", order);
  }
  return {std::move(sql), measured, from_key};
}

std::vector<Range> ranges_of(proto::TrialStatus status, TrialSort sort, const std::optional<Key>& after) {
  std::vector<Range> ranges;
  if (by_metric(sort) && (!after || after->measured))
    ranges.push_back(make_range(status, sort, true, after.has_value()));
  ranges.push_back(make_range(status, sort, false, after && !after->measured));
  return ranges;
}

/// A range being read: its statement and the row it stands at.
class Stream {
 public:
  Stream(Connection& connection, const Range& range, const std::string& experiment_id, const std::optional<Key>& after)
      : statement_(connection.prepare(range.sql)) {
    statement_.bind(experiment_id);
    if (range.from_key && range.measured) statement_.bind(after->metric);
    if (range.from_key) statement_.bind(after->sequence);
    advance();
  }

  [[nodiscard]] bool at_end() const { return !row_; }
  [[nodiscard]] const TrialRecord& row() const { return *row_; }
  TrialRecord take() {
    TrialRecord record = std::move(*row_);
    advance();
    return record;
  }

 private:
  void advance() {
    row_.reset();
    if (statement_.step()) row_ = read_trial(statement_).record;
  }

  Statement statement_;
  std::optional<TrialRecord> row_;
};

std::vector<Stream> open_streams(Connection& connection, const TrialQuery& query, const std::optional<Key>& after) {
  std::vector<proto::TrialStatus> statuses = query.statuses;
  if (statuses.empty()) statuses.assign(proto::all_trial_statuses.begin(), proto::all_trial_statuses.end());
  std::sort(statuses.begin(), statuses.end());
  statuses.erase(std::unique(statuses.begin(), statuses.end()), statuses.end());
  std::vector<Stream> streams;
  for (const proto::TrialStatus status : statuses) {
    for (const Range& range : ranges_of(status, query.sort, after)) {
      Stream stream(connection, range, query.experiment_id, after);
      if (!stream.at_end()) streams.push_back(std::move(stream));
    }
  }
  return streams;
}

Stream* first_of(std::vector<Stream>& streams, TrialSort sort) {
  Stream* best = nullptr;
  for (Stream& stream : streams) {
    if (stream.at_end()) continue;
    if (best == nullptr || comes_before(key_of(stream.row(), sort), key_of(best->row(), sort), sort)) best = &stream;
  }
  return best;
}

}  // namespace

StorageResult<Page<TrialRecord>> page_of_trials(Connection& connection, const TrialQuery& query) {
  std::optional<Key> after;
  if (!query.cursor.empty()) {
    after = from_cursor(query.cursor);
    if (!after || (after->measured && !by_metric(query.sort))) return bad_cursor(query.cursor);
  }
  std::vector<Stream> streams = open_streams(connection, query, after);
  Page<TrialRecord> page;
  while (Stream* stream = first_of(streams, query.sort)) {
    if (static_cast<std::int64_t>(page.items.size()) == query.limit) {
      page.next_cursor = to_cursor(key_of(page.items.back(), query.sort));
      break;
    }
    page.items.push_back(stream->take());
  }
  return page;
}

std::vector<std::string> trial_page_statements(TrialSort sort) {
  std::vector<std::string> statements;
  const std::vector<std::optional<Key>> places{std::nullopt, Key{false, 0, 1}, Key{true, 0.5, 1}};
  for (const auto& after : places) {
    if (after && after->measured && !by_metric(sort)) continue;
    for (Range& range : ranges_of(proto::TrialStatus::Succeeded, sort, after))
      statements.push_back(std::move(range.sql));
  }
  return statements;
}

}  // namespace lathe::manager
