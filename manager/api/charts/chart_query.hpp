// The query parameters of charts, checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lathe/proto/result.hpp>
#include <lathe/proto/status.hpp>

#include "analysis/filter.hpp"
#include "analysis/history.hpp"
#include "http/request.hpp"

namespace lathe::manager {

struct SortQuery {
  std::string column = "sequence";
  bool descending = false;
};

/// limit, cursor, offset, status, sort, filter of the list of trials.
struct TrialListQuery {
  std::int64_t limit = 100;
  std::string cursor;
  std::int64_t offset = 0;
  std::vector<proto::TrialStatus> statuses;
  SortQuery sort;
  Filter filter;
  bool needs_table = false;  ///< false: the database answers by its indices
};
[[nodiscard]] proto::Result<TrialListQuery> parse_trial_list_query(const NamedValues& query);

/// columns, filter, sort, limit, offset, sample.
struct TableQuery {
  std::vector<std::string> columns;  ///< at most 100
  Filter filter;
  SortQuery sort;
  std::int64_t limit = 1000;
  std::int64_t offset = 0;
  std::optional<std::int64_t> sample;
};
[[nodiscard]] proto::Result<TableQuery> parse_table_query(const NamedValues& query);

/// column, points, goal, filter.
struct HistoryQuery {
  std::string column = "metric";
  std::int64_t points = 2000;
  std::optional<Goal> goal;
  Filter filter;
};
[[nodiscard]] proto::Result<HistoryQuery> parse_history_query(const NamedValues& query);

/// objectives, filter, constraint, points.
struct FrontQuery {
  struct Objective {
    std::string column;
    std::optional<Goal> goal;  ///< none: what the column is known for
  };
  std::vector<Objective> objectives;  ///< two or three
  Filter filter;
  Filter constraint;
  std::int64_t points = 2000;
};
[[nodiscard]] proto::Result<FrontQuery> parse_front_query(const NamedValues& query);

/// column, top, goal.
struct ImportanceQuery {
  std::string column = "metric";
  double top = 0.1;
  std::optional<Goal> goal;
};
[[nodiscard]] proto::Result<ImportanceQuery> parse_importance_query(const NamedValues& query);

/// points of the timeline.
[[nodiscard]] proto::Result<std::int64_t> parse_timeline_query(const NamedValues& query);

enum class LayerValue { Sparsity, Channels, Macs, Bits };

/// value, trials, sort, filter.
struct LayersQuery {
  LayerValue value = LayerValue::Sparsity;
  std::int64_t trials = 100;
  std::optional<SortQuery> sort;  ///< none: the best first
  Filter filter;
};
[[nodiscard]] proto::Result<LayersQuery> parse_layers_query(const NamedValues& query);

/// trials or top, points, key.
struct SeriesQuery {
  std::vector<std::string> trials;  ///< ids, at most 100; empty: the best
  std::int64_t top = 20;
  std::int64_t points = 200;
  std::string key = "default";
};
[[nodiscard]] proto::Result<SeriesQuery> parse_series_query(const NamedValues& query);

}  // namespace lathe::manager
