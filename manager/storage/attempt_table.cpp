#include "storage/attempt_table.hpp"

#include <algorithm>

namespace lathe::manager {
namespace {

/// Of a row `attempt, host, start_ms, end_ms, reason`.
AttemptRecord read_attempt(const Statement& row) {
  AttemptRecord record;
  record.attempt = row.integer(0);
  record.host = row.text(1);
  record.start_ms = row.optional_integer(2);
  record.end_ms = row.integer(3);
  record.reason = row.text(4);
  return record;
}

}  // namespace

void insert_attempt(Connection& connection, const AttemptRow& row) {
  Statement statement = connection.prepare(
      "INSERT OR REPLACE INTO attempts (experiment_id, trial, attempt, host, start_ms, end_ms, reason) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)");
  const AttemptRecord& record = row.record;
  statement.bind(row.experiment_id).bind(row.trial).bind(record.attempt).bind(record.host).bind(record.start_ms);
  statement.bind(record.end_ms).bind(record.reason).step();
}

std::vector<AttemptRecord> attempts_of(Connection& connection, const std::string& experiment_id, std::int64_t trial) {
  Statement statement = connection.prepare(
      "SELECT attempt, host, start_ms, end_ms, reason FROM attempts WHERE experiment_id = ? AND trial = ? "
      "ORDER BY attempt");
  statement.bind(experiment_id).bind(trial);
  std::vector<AttemptRecord> attempts;
  while (statement.step()) attempts.push_back(read_attempt(statement));
  return attempts;
}

std::vector<TrialAttempt> attempts_of_experiment(Connection& connection, const std::string& experiment_id,
                                                 std::int64_t limit) {
  Statement statement = connection.prepare(
      "SELECT attempt, host, start_ms, end_ms, reason, trial FROM attempts WHERE experiment_id = ? "
      "ORDER BY trial DESC, attempt DESC LIMIT ?");
  statement.bind(experiment_id).bind(limit);
  std::vector<TrialAttempt> attempts;
  while (statement.step()) attempts.push_back({statement.integer(5), read_attempt(statement)});
  std::reverse(attempts.begin(), attempts.end());
  return attempts;
}

}  // namespace lathe::manager
