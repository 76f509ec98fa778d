#include "api/charts/chart_query.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "api/query_values.hpp"

namespace lathe::manager {
namespace {

constexpr std::int64_t most_rows = 100'000;
constexpr std::int64_t most_points = 10'000;
constexpr std::int64_t most_spans = 7'500;
constexpr std::int64_t most_offset = 1'000'000'000;
constexpr std::size_t most_columns = 100;
constexpr std::size_t most_trials = 100;

constexpr WordTable<Goal, 2> goals{{{"minimize", Goal::Minimize}, {"maximize", Goal::Maximize}}};
constexpr WordTable<LayerValue, 4> layer_values{{{"sparsity", LayerValue::Sparsity},
                                                 {"channels", LayerValue::Channels},
                                                 {"macs", LayerValue::Macs},
                                                 {"bits", LayerValue::Bits}}};

/// Reads one parameter after the other and remembers the first error.
class Reader {
 public:
  Reader(const NamedValues& query, ParameterNames known) : query_(query) {
    if (const auto names = check_names(query, known); !names) error_ = names.error();
  }

  void integer(std::string_view name, std::int64_t low, std::int64_t high, std::int64_t& target) {
    if (const auto value = take(parse_integer(query_, name, low, high))) target = *value;
  }
  void text(std::string_view name, std::string& target) const {
    if (const auto value = find_value(query_, name)) target = std::string(*value);
  }
  void goal(std::optional<Goal>& target) { target = take(parse_word(query_, "goal", goals)); }
  void layer_value(LayerValue& target) { target = take(parse_word(query_, "value", layer_values)).value_or(target); }

  void filter(std::string_view name, Filter& target) {
    auto parsed = Filter::parse(find_value(query_, name).value_or(""));
    if (parsed) {
      target = std::move(*parsed);
    } else {
      fail({parsed.error().message, std::string(name), {}, 0});
    }
  }

  void sort(SortQuery& target) const {
    const auto text = find_value(query_, "sort");
    if (!text || text->empty()) return;
    target.descending = text->front() == '-';
    target.column = std::string(text->substr(target.descending ? 1 : 0));
  }

  void list(std::string_view name, std::size_t most, std::vector<std::string>& target) {
    for (const std::string_view word : split_list(find_value(query_, name).value_or(""))) target.emplace_back(word);
    if (target.size() > most)
      fail({fmt::format("there are {}, expected at most {}", target.size(), most), std::string(name), {}, 0});
  }

  [[nodiscard]] bool has(std::string_view name) const { return find_value(query_, name).has_value(); }
  void fail(proto::Error error) {
    if (!error_) error_ = std::move(error);
  }

  template <class Query>
  proto::Result<Query> finish(Query query) const {
    if (error_) return tl::unexpected(*error_);
    return query;
  }

  template <class T>
  std::optional<T> take(proto::Result<std::optional<T>> parsed) {
    if (parsed) return *parsed;
    fail(parsed.error());
    return std::nullopt;
  }

 private:
  const NamedValues& query_;
  std::optional<proto::Error> error_;
};

/// `COLUMN`, `COLUMN:min` or `COLUMN:max`.
FrontQuery::Objective objective_from(std::string_view text) {
  const auto colon = text.rfind(':');
  const std::string_view way = colon == text.npos ? std::string_view() : text.substr(colon + 1);
  if (way == "min") return {std::string(text.substr(0, colon)), Goal::Minimize};
  if (way == "max") return {std::string(text.substr(0, colon)), Goal::Maximize};
  return {std::string(text), std::nullopt};
}

}  // namespace

proto::Result<TrialListQuery> parse_trial_list_query(const NamedValues& query) {
  TrialListQuery parsed;
  Reader reader(query, {"limit", "cursor", "offset", "status", "sort", "filter"});
  reader.integer("limit", 1, 1000, parsed.limit);
  reader.integer("offset", 0, most_offset, parsed.offset);
  reader.text("cursor", parsed.cursor);
  reader.sort(parsed.sort);
  reader.filter("filter", parsed.filter);
  auto statuses = parse_statuses<proto::TrialStatus>(query, proto::trial_status_from, "the status of a trial");
  if (statuses) {
    parsed.statuses = std::move(*statuses);
  } else {
    reader.fail(statuses.error());
  }
  const bool is_indexed = parsed.sort.column == "sequence" || parsed.sort.column == "metric";
  parsed.needs_table = !is_indexed || !parsed.filter.is_everything() || reader.has("offset");
  if (parsed.needs_table && !parsed.cursor.empty()) {
    reader.fail(
        {"a cursor goes with an order by sequence or metric, and with no filter; expected offset", "cursor", {}, 0});
  }
  return reader.finish(std::move(parsed));
}

proto::Result<TableQuery> parse_table_query(const NamedValues& query) {
  TableQuery parsed;
  Reader reader(query, {"columns", "filter", "sort", "limit", "offset", "sample"});
  reader.list("columns", most_columns, parsed.columns);
  reader.filter("filter", parsed.filter);
  reader.sort(parsed.sort);
  reader.integer("limit", 1, most_rows, parsed.limit);
  reader.integer("offset", 0, most_offset, parsed.offset);
  parsed.sample = reader.take(parse_integer(query, "sample", 1, most_rows));
  return reader.finish(std::move(parsed));
}

proto::Result<HistoryQuery> parse_history_query(const NamedValues& query) {
  HistoryQuery parsed;
  Reader reader(query, {"column", "points", "goal", "filter"});
  reader.text("column", parsed.column);
  reader.integer("points", 4, most_points, parsed.points);
  reader.goal(parsed.goal);
  reader.filter("filter", parsed.filter);
  return reader.finish(std::move(parsed));
}

proto::Result<FrontQuery> parse_front_query(const NamedValues& query) {
  FrontQuery parsed;
  Reader reader(query, {"objectives", "filter", "constraint", "points"});
  for (const std::string_view text : split_list(find_value(query, "objectives").value_or("")))
    parsed.objectives.push_back(objective_from(text));
  if (parsed.objectives.size() < 2 || parsed.objectives.size() > 3) {
    reader.fail({fmt::format("there are {}, expected two or three, such as metric.accuracy:max,metric.size_bytes:min",
                             parsed.objectives.size()),
                 "objectives",
                 {},
                 0});
  }
  reader.filter("filter", parsed.filter);
  reader.filter("constraint", parsed.constraint);
  reader.integer("points", 0, most_points, parsed.points);
  return reader.finish(std::move(parsed));
}

proto::Result<ImportanceQuery> parse_importance_query(const NamedValues& query) {
  ImportanceQuery parsed;
  Reader reader(query, {"column", "top", "goal"});
  reader.text("column", parsed.column);
  reader.goal(parsed.goal);
  if (const auto text = find_value(query, "top")) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), parsed.top);
    if (error != std::errc() || end != text->data() + text->size() || !(parsed.top > 0 && parsed.top <= 1))
      reader.fail(unexpected_value("top", *text, "a number above 0, at most 1").value());
  }
  return reader.finish(std::move(parsed));
}

proto::Result<std::int64_t> parse_timeline_query(const NamedValues& query) {
  std::int64_t points = 5000;
  Reader reader(query, {"points"});
  reader.integer("points", 1, most_spans, points);
  return reader.finish(points);
}

proto::Result<LayersQuery> parse_layers_query(const NamedValues& query) {
  LayersQuery parsed;
  Reader reader(query, {"value", "trials", "sort", "filter"});
  reader.layer_value(parsed.value);
  reader.integer("trials", 1, 500, parsed.trials);
  if (reader.has("sort")) reader.sort(parsed.sort.emplace());
  reader.filter("filter", parsed.filter);
  return reader.finish(std::move(parsed));
}

proto::Result<SeriesQuery> parse_series_query(const NamedValues& query) {
  SeriesQuery parsed;
  Reader reader(query, {"trials", "top", "points", "key"});
  reader.list("trials", most_trials, parsed.trials);
  reader.integer("top", 1, static_cast<std::int64_t>(most_trials), parsed.top);
  reader.integer("points", 4, most_points, parsed.points);
  reader.text("key", parsed.key);
  return reader.finish(std::move(parsed));
}

}  // namespace lathe::manager
