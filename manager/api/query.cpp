#include "api/query.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::manager {
namespace {

using Names = std::initializer_list<std::string_view>;

template <class T, std::size_t Size>
using Table = std::array<std::pair<std::string_view, T>, Size>;

constexpr Table<TrialSort, 4> sorts{{{"sequence", TrialSort::SequenceAscending},
                                     {"-sequence", TrialSort::SequenceDescending},
                                     {"metric", TrialSort::MetricAscending},
                                     {"-metric", TrialSort::MetricDescending}}};
constexpr Table<proto::MetricType, 2> metric_types{
    {{"PERIODICAL", proto::MetricType::Periodical}, {"FINAL", proto::MetricType::Final}}};
constexpr Table<ExportFormat, 2> export_formats{{{"json", ExportFormat::Json}, {"csv", ExportFormat::Csv}}};
constexpr Table<bool, 4> truths{{{"true", true}, {"false", false}, {"1", true}, {"0", false}}};
constexpr std::array<std::string_view, 4> event_kinds{"experiment", "trial", "metric", "deleted"};

tl::unexpected<proto::Error> unexpected_value(std::string_view name, std::string_view value,
                                              std::string_view expected) {
  return proto::fail(fmt::format("'{}' is not {}", value, expected), std::string(name));
}

/// The error for a parameter that is not among `known`, if any.
proto::Result<bool> check_names(const NamedValues& query, Names known) {
  for (const auto& [name, value] : query) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (known.size() == 0) return proto::fail("this path takes no query parameters", name);
    return proto::fail(fmt::format("there is no such query parameter; there are: {}", fmt::join(known, ", ")), name);
  }
  return true;
}

proto::Result<std::optional<std::int64_t>> parse_integer(const NamedValues& query, std::string_view name,
                                                         std::int64_t low, std::int64_t high) {
  const auto text = find_value(query, name);
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < low || value > high) {
    return unexpected_value(name, *text, fmt::format("an integer from {} to {}", low, high));
  }
  return value;
}

template <class T, std::size_t Size>
proto::Result<std::optional<T>> parse_word(const NamedValues& query, std::string_view name,
                                           const Table<T, Size>& table) {
  const auto text = find_value(query, name);
  if (!text) return std::nullopt;
  std::vector<std::string_view> words;
  for (const auto& [word, value] : table) {
    if (word == *text) return value;
    words.push_back(word);
  }
  return unexpected_value(name, *text, fmt::format("one of {}", fmt::join(words, ", ")));
}

std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> words;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    words.push_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return words;
}

template <class Status, class Parse>
proto::Result<std::vector<Status>> parse_statuses(const NamedValues& query, Parse parse, std::string_view what) {
  std::vector<Status> statuses;
  for (const std::string_view word : split(find_value(query, "status").value_or(""))) {
    const std::optional<Status> status = parse(word);
    if (!status) return unexpected_value("status", word, what);
    statuses.push_back(*status);
  }
  return statuses;
}

/// limit and cursor, common to all lists.
template <class Query>
proto::Result<Query> parse_page(const NamedValues& query, Names known) {
  if (const auto names = check_names(query, known); !names) return tl::unexpected(names.error());
  Query page;
  page.limit = 100;
  const auto limit = parse_integer(query, "limit", 1, 1000);
  if (!limit) return tl::unexpected(limit.error());
  if (*limit) page.limit = **limit;
  page.cursor = std::string(find_value(query, "cursor").value_or(""));
  return page;
}

}  // namespace

proto::Result<ExperimentQuery> parse_experiment_query(const NamedValues& query) {
  auto parsed = parse_page<ExperimentQuery>(query, {"limit", "cursor", "status"});
  if (!parsed) return parsed;
  auto statuses =
      parse_statuses<proto::ExperimentStatus>(query, proto::experiment_status_from, "the status of an experiment");
  if (!statuses) return tl::unexpected(statuses.error());
  parsed->statuses = std::move(*statuses);
  return parsed;
}

proto::Result<TrialQuery> parse_trial_query(const NamedValues& query) {
  auto parsed = parse_page<TrialQuery>(query, {"limit", "cursor", "status", "sort"});
  if (!parsed) return parsed;
  auto statuses = parse_statuses<proto::TrialStatus>(query, proto::trial_status_from, "the status of a trial");
  if (!statuses) return tl::unexpected(statuses.error());
  parsed->statuses = std::move(*statuses);
  const auto sort = parse_word(query, "sort", sorts);
  if (!sort) return tl::unexpected(sort.error());
  if (*sort) parsed->sort = **sort;
  return parsed;
}

proto::Result<MetricQuery> parse_metric_query(const NamedValues& query) {
  auto parsed = parse_page<MetricQuery>(query, {"limit", "cursor", "type"});
  if (!parsed) return parsed;
  const auto type = parse_word(query, "type", metric_types);
  if (!type) return tl::unexpected(type.error());
  parsed->type = *type;
  return parsed;
}

proto::Result<LogQuery> parse_log_query(const NamedValues& query) {
  if (const auto names = check_names(query, {"tail", "follow"}); !names) return tl::unexpected(names.error());
  const auto tail = parse_integer(query, "tail", 0, 100000);
  if (!tail) return tl::unexpected(tail.error());
  const auto follow = parse_word(query, "follow", truths);
  if (!follow) return tl::unexpected(follow.error());
  return LogQuery{*tail, follow->value_or(false)};
}

proto::Result<ExportFormat> parse_export_query(const NamedValues& query) {
  if (const auto names = check_names(query, {"format"}); !names) return tl::unexpected(names.error());
  const auto format = parse_word(query, "format", export_formats);
  if (!format) return tl::unexpected(format.error());
  return format->value_or(ExportFormat::Json);
}

proto::Result<EventQuery> parse_event_query(const NamedValues& query) {
  if (const auto names = check_names(query, {"kinds", "lastEventId"}); !names) return tl::unexpected(names.error());
  EventQuery parsed;
  for (const std::string_view kind : split(find_value(query, "kinds").value_or(""))) {
    if (std::find(event_kinds.begin(), event_kinds.end(), kind) == event_kinds.end()) {
      return unexpected_value("kinds", kind, fmt::format("one of {}", fmt::join(event_kinds, ", ")));
    }
    parsed.kinds.emplace(kind);
  }
  if (const auto id = find_value(query, "lastEventId")) parsed.last_event_id = std::string(*id);
  return parsed;
}

proto::Result<std::optional<std::filesystem::path>> parse_create_query(const NamedValues& query) {
  if (const auto names = check_names(query, {"directory"}); !names) return tl::unexpected(names.error());
  const auto text = find_value(query, "directory");
  if (!text) return std::nullopt;
  const std::filesystem::path directory(*text);
  if (!directory.is_absolute()) return unexpected_value("directory", *text, "an absolute path");
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    return unexpected_value("directory", *text, "a folder on the daemon's machine");
  }
  return directory;
}

proto::Result<bool> parse_no_query(const NamedValues& query) {
  return check_names(query, {});
}

}  // namespace lathe::manager
