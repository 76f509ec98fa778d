// Many trials at once. Functions throw SqliteError; they run inside a read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/records.hpp"
#include "storage/sqlite.hpp"

namespace lathe::manager {

/// Calls `each` for every trial in the order of the sequence numbers, with what fits a table of all: sequence, id,
/// status, source, host, attempt, the three times, intermediate_count, metric, parameters, final_metric. Nothing is
/// kept in memory.
void scan_trials(Connection& connection, const std::string& experiment_id,
                 const std::function<void(const TrialRecord&)>& each);

/// The trials with these sequence numbers, whole but for their earlier attempts, in the order of the list; those that
/// are not there are left out.
[[nodiscard]] std::vector<TrialRecord> find_trials(Connection& connection, const std::string& experiment_id,
                                                   const std::vector<std::int64_t>& sequences);

}  // namespace lathe::manager
