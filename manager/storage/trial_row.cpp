#include "storage/trial_row.hpp"

#include "storage/json_text.hpp"

namespace lathe::manager {

namespace {

std::optional<int> as_int(std::optional<std::int64_t> number) {
  if (!number) return std::nullopt;
  return static_cast<int>(*number);
}

}  // namespace

const std::string& trial_columns() {
  static const std::string columns =
      "experiment_id, sequence, id, status, source, parameters, attempt, losses, agent, kill_reason, submit_ms, "
      "start_ms, end_ms, exit_code, signal, reason, stderr_tail, note, pid, metric, final_metric, intermediate_count, "
      "directory, host, gpus, failures";
  return columns;
}

TrialRow read_trial(const Statement& row) {
  TrialRow result;
  TrialRecord& record = result.record;
  int column = 0;
  record.experiment_id = row.text(column++);
  record.sequence = row.integer(column++);
  record.id = row.text(column++);
  record.status = proto::trial_status_from(row.text(column++)).value_or(proto::TrialStatus::Unknown);
  record.source = row.text(column++);
  record.parameters = json_from(row.text(column++));
  record.attempt = row.integer(column++);
  result.losses = row.integer(column++);
  result.agent = row.text(column++);
  result.kill_reason = row.text(column++);
  record.submit_ms = row.integer(column++);
  record.start_ms = row.optional_integer(column++);
  record.end_ms = row.optional_integer(column++);
  record.exit_code = as_int(row.optional_integer(column++));
  record.signal = as_int(row.optional_integer(column++));
  record.reason = row.text(column++);
  record.stderr_tail = row.text(column++);
  record.note = row.text(column++);
  record.pid = row.optional_integer(column++);
  record.metric = row.optional_real(column++);
  record.final_metric = json_from(row.text(column++));
  record.intermediate_count = row.integer(column++);
  record.directory = row.text(column++);
  record.host = row.text(column++);
  for (const auto& gpu : json_from(row.text(column++))) record.gpus.push_back(gpu.get<std::int64_t>());
  result.failures = row.integer(column);
  return result;
}

}  // namespace lathe::manager
