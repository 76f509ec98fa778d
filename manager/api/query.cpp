#include "api/query.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/query_values.hpp"

namespace lathe::manager {
namespace {

constexpr WordTable<ExperimentSort, 4> experiment_sorts{{{"-created", ExperimentSort::Newest},
                                                         {"created", ExperimentSort::Oldest},
                                                         {"name", ExperimentSort::Name},
                                                         {"status", ExperimentSort::Status}}};
constexpr WordTable<std::string_view, 4> platforms{
    {{"local", "local"}, {"remote", "remote"}, {"slurm", "slurm"}, {"pai", "pai"}}};
constexpr WordTable<proto::MetricType, 2> metric_types{
    {{"PERIODICAL", proto::MetricType::Periodical}, {"FINAL", proto::MetricType::Final}}};
constexpr WordTable<ExportFormat, 2> export_formats{{{"json", ExportFormat::Json}, {"csv", ExportFormat::Csv}}};
constexpr WordTable<bool, 4> truths{{{"true", true}, {"false", false}, {"1", true}, {"0", false}}};
constexpr std::array<std::string_view, 6> event_kinds{"experiment", "trial", "metric", "deleted", "host", "daemon"};

/// limit and cursor, common to all lists.
template <class Query>
proto::Result<Query> parse_page(const NamedValues& query, ParameterNames known) {
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
  auto parsed = parse_page<ExperimentQuery>(query, {"limit", "cursor", "status", "search", "platform", "sort"});
  if (!parsed) return parsed;
  auto statuses =
      parse_statuses<proto::ExperimentStatus>(query, proto::experiment_status_from, "the status of an experiment");
  if (!statuses) return tl::unexpected(statuses.error());
  parsed->statuses = std::move(*statuses);
  const auto sort = parse_word(query, "sort", experiment_sorts);
  if (!sort) return tl::unexpected(sort.error());
  parsed->sort = sort->value_or(ExperimentSort::Newest);
  const auto platform = parse_word(query, "platform", platforms);
  if (!platform) return tl::unexpected(platform.error());
  parsed->platform = platform->value_or("");
  parsed->search = std::string(find_value(query, "search").value_or(""));
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
  for (const std::string_view kind : split_list(find_value(query, "kinds").value_or(""))) {
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
