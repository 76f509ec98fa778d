// Rows of `metrics`. Functions throw SqliteError; they run inside a write job or a read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/error.hpp"
#include "storage/rows.hpp"
#include "storage/sqlite.hpp"

namespace lathe::manager {

/// Metrics are keyed by (trial, type, attempt, sequence): a periodical one that is there already is left alone, a final
/// one takes the place of the one before. Returns whether a row was added.
bool store_metric(Connection& connection, const MetricRow& row);

/// Forgets what earlier attempts of a trial reported.
void delete_metrics(Connection& connection, const std::string& experiment_id, std::int64_t trial);

/// Of one trial: by type and sequence. Of a whole experiment: in the order of their arrival, for each type (final ones
/// first). A bad cursor is Invalid.
[[nodiscard]] StorageResult<Page<MetricRecord>> page_of_metrics(Connection& connection, const MetricQuery& query);

/// Calls `each` for the periodical metrics of these trials, trial by trial, by attempt and number. Nothing is kept in
/// memory.
void scan_metrics(Connection& connection, const std::string& experiment_id, const std::vector<std::int64_t>& trials,
                  const std::function<void(std::int64_t trial, const MetricRecord&)>& each);

}  // namespace lathe::manager
