// Rows of `trials`. Functions throw SqliteError; they run inside a write job or a read.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/error.hpp"
#include "storage/rows.hpp"
#include "storage/sqlite.hpp"

namespace lathe::manager {

void insert_trial(Connection& connection, const TrialRow& row);

/// Writes everything that changes in a trial's life, found by (experiment_id, sequence).
void update_trial(Connection& connection, const TrialRow& row);

[[nodiscard]] std::optional<TrialRecord> find_trial(Connection& connection, const std::string& experiment_id,
                                                    const std::string& trial_id);

/// Those that are WAITING or RUNNING, in the order of their sequence numbers.
[[nodiscard]] std::vector<TrialRow> live_trials(Connection& connection, const std::string& experiment_id);

/// What a tuner has to know of a trial of the past.
struct TrialOutcome {
  std::int64_t sequence = 0;
  proto::TrialStatus status = proto::TrialStatus::Unknown;
  std::string parameters;        ///< JSON text
  std::optional<double> metric;  ///< only of a succeeded trial
  std::string reason;
};

/// Calls `each` for every trial in the order of the sequence numbers; nothing is kept in memory.
void for_each_outcome(Connection& connection, const std::string& experiment_id,
                      const std::function<void(const TrialOutcome&)>& each);

/// One page, found on an index however many trials there are. A bad cursor is Invalid.
[[nodiscard]] StorageResult<Page<TrialRecord>> page_of_trials(Connection& connection, const TrialQuery& query);

/// The statements of page_of_trials, for a test that none of them scans or sorts.
[[nodiscard]] std::vector<std::string> trial_page_statements(TrialSort sort);

}  // namespace lathe::manager
