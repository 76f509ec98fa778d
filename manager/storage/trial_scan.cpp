#include "storage/trial_scan.hpp"

#include "storage/json_text.hpp"
#include "storage/trial_row.hpp"

namespace lathe::manager {

void scan_trials(Connection& connection, const std::string& experiment_id,
                 const std::function<void(const TrialRecord&)>& each) {
  Statement statement = connection.prepare(
      "SELECT sequence, id, status, source, host, attempt, submit_ms, start_ms, end_ms, intermediate_count, metric, "
      "parameters, final_metric FROM trials WHERE experiment_id = ? ORDER BY sequence");
  statement.bind(experiment_id);
  TrialRecord record;
  record.experiment_id = experiment_id;
  while (statement.step()) {
    record.sequence = statement.integer(0);
    record.id = statement.text(1);
    record.status = proto::trial_status_from(statement.text(2)).value_or(proto::TrialStatus::Unknown);
    record.source = statement.text(3);
    record.host = statement.text(4);
    record.attempt = statement.integer(5);
    record.submit_ms = statement.integer(6);
    record.start_ms = statement.optional_integer(7);
    record.end_ms = statement.optional_integer(8);
    record.intermediate_count = statement.integer(9);
    record.metric = statement.optional_real(10);
    record.parameters = json_from(statement.text(11));
    record.final_metric = json_from(statement.text(12));
    each(record);
  }
}

std::vector<TrialRecord> find_trials(Connection& connection, const std::string& experiment_id,
                                     const std::vector<std::int64_t>& sequences) {
  std::vector<TrialRecord> found;
  for (const std::int64_t sequence : sequences) {
    Statement statement =
        connection.prepare("SELECT " + trial_columns() + " FROM trials WHERE experiment_id = ? AND sequence = ?");
    statement.bind(experiment_id).bind(sequence);
    if (statement.step()) found.push_back(read_trial(statement).record);
  }
  return found;
}

}  // namespace lathe::manager
