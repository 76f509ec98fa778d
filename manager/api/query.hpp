// Query parameters, checked. Every error names the parameter, the value and what was expected; unknown ones are errors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include <lathe/proto/result.hpp>

#include "http/request.hpp"
#include "storage/records.hpp"

namespace lathe::manager {

/// limit, cursor, status, search, platform, sort.
[[nodiscard]] proto::Result<ExperimentQuery> parse_experiment_query(const NamedValues& query);

/// limit, cursor, type.
[[nodiscard]] proto::Result<MetricQuery> parse_metric_query(const NamedValues& query);

struct LogQuery {
  std::optional<std::int64_t> tail;  ///< 0..100000 lines; none: the whole file
  bool follow = false;
};
[[nodiscard]] proto::Result<LogQuery> parse_log_query(const NamedValues& query);

enum class ExportFormat { Json, Csv };
[[nodiscard]] proto::Result<ExportFormat> parse_export_query(const NamedValues& query);

struct EventQuery {
  std::set<std::string, std::less<>> kinds;  ///< empty: all
  std::optional<std::string> last_event_id;
};
[[nodiscard]] proto::Result<EventQuery> parse_event_query(const NamedValues& query);

/// directory: an absolute folder that exists; none when it was not given.
[[nodiscard]] proto::Result<std::optional<std::filesystem::path>> parse_create_query(const NamedValues& query);

/// For routes without parameters.
[[nodiscard]] proto::Result<bool> parse_no_query(const NamedValues& query);

}  // namespace lathe::manager
