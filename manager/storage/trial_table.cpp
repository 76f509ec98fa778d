#include "storage/trial_table.hpp"

#include "storage/attempt_table.hpp"
#include "storage/json_text.hpp"
#include "storage/trial_row.hpp"

namespace lathe::manager {

void insert_trial(Connection& connection, const TrialRow& row) {
  const TrialRecord& record = row.record;
  Statement statement =
      connection.prepare("INSERT INTO trials (" + trial_columns() +
                         ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  statement.bind(record.experiment_id).bind(record.sequence).bind(record.id).bind(proto::to_string(record.status));
  statement.bind(record.source).bind(json_text(record.parameters)).bind(record.attempt).bind(row.losses);
  statement.bind(row.agent).bind(row.kill_reason).bind(record.submit_ms).bind(record.start_ms).bind(record.end_ms);
  statement.bind(record.exit_code).bind(record.signal).bind(record.reason).bind(record.stderr_tail).bind(record.note);
  statement.bind(record.pid).bind(record.metric).bind(json_text(record.final_metric)).bind(record.intermediate_count);
  statement.bind(record.directory).bind(record.host).bind(json_text(record.gpus)).bind(row.failures).step();
}

void update_trial(Connection& connection, const TrialRow& row) {
  const TrialRecord& record = row.record;
  Statement statement = connection.prepare(
      "UPDATE trials SET status = ?, attempt = ?, losses = ?, agent = ?, kill_reason = ?, start_ms = ?, end_ms = ?, "
      "exit_code = ?, signal = ?, reason = ?, stderr_tail = ?, note = ?, pid = ?, metric = ?, final_metric = ?, "
      "intermediate_count = ?, host = ?, gpus = ?, failures = ? WHERE experiment_id = ? AND sequence = ?");
  statement.bind(proto::to_string(record.status)).bind(record.attempt).bind(row.losses).bind(row.agent);
  statement.bind(row.kill_reason).bind(record.start_ms).bind(record.end_ms).bind(record.exit_code).bind(record.signal);
  statement.bind(record.reason).bind(record.stderr_tail).bind(record.note).bind(record.pid).bind(record.metric);
  statement.bind(json_text(record.final_metric)).bind(record.intermediate_count);
  statement.bind(record.host).bind(json_text(record.gpus)).bind(row.failures);
  statement.bind(record.experiment_id).bind(record.sequence).step();
}

std::optional<TrialRecord> find_trial(Connection& connection, const std::string& experiment_id,
                                      const std::string& trial_id) {
  Statement statement =
      connection.prepare("SELECT " + trial_columns() + " FROM trials WHERE experiment_id = ? AND id = ?");
  statement.bind(experiment_id).bind(trial_id);
  if (!statement.step()) return std::nullopt;
  TrialRecord record = read_trial(statement).record;
  record.attempts = attempts_of(connection, experiment_id, record.sequence);
  return record;
}

std::vector<TrialRow> live_trials(Connection& connection, const std::string& experiment_id) {
  Statement statement = connection.prepare("SELECT " + trial_columns() +
                                           " FROM trials WHERE experiment_id = ? AND status IN ('WAITING', 'RUNNING') "
                                           "ORDER BY sequence");
  statement.bind(experiment_id);
  std::vector<TrialRow> rows;
  while (statement.step()) rows.push_back(read_trial(statement));
  return rows;
}

void for_each_outcome(Connection& connection, const std::string& experiment_id,
                      const std::function<void(const TrialOutcome&)>& each) {
  Statement statement = connection.prepare(
      "SELECT sequence, status, parameters, metric, reason FROM trials WHERE experiment_id = ? ORDER BY sequence");
  statement.bind(experiment_id);
  while (statement.step()) {
    TrialOutcome outcome;
    outcome.sequence = statement.integer(0);
    outcome.status = proto::trial_status_from(statement.text(1)).value_or(proto::TrialStatus::Unknown);
    outcome.parameters = statement.text(2);
    outcome.metric = statement.optional_real(3);
    outcome.reason = statement.text(4);
    each(outcome);
  }
}

}  // namespace lathe::manager
