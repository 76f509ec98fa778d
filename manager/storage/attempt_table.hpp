// Rows of `attempts`: what became of the attempts of trials that were run again. Functions throw SqliteError.
#pragma once

#include <string>
#include <vector>

#include "storage/rows.hpp"
#include "storage/sqlite.hpp"

namespace lathe::manager {

void insert_attempt(Connection& connection, const AttemptRow& row);

/// In the order in which they were made.
[[nodiscard]] std::vector<AttemptRecord> attempts_of(Connection& connection, const std::string& experiment_id,
                                                     std::int64_t trial);

/// Of all trials of the experiment, by trial and attempt; at most `limit` of them, the latest trials' ones.
[[nodiscard]] std::vector<TrialAttempt> attempts_of_experiment(Connection& connection, const std::string& experiment_id,
                                                               std::int64_t limit);

}  // namespace lathe::manager
