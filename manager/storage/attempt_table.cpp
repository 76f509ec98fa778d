#include "storage/attempt_table.hpp"

namespace lathe::manager {

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
  while (statement.step()) {
    AttemptRecord record;
    record.attempt = statement.integer(0);
    record.host = statement.text(1);
    record.start_ms = statement.optional_integer(2);
    record.end_ms = statement.integer(3);
    record.reason = statement.text(4);
    attempts.push_back(std::move(record));
  }
  return attempts;
}

}  // namespace lathe::manager
