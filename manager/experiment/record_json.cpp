// The REST forms of the records. Unset fields are left out; times are Unix milliseconds, durations seconds.
#include <array>
#include <string_view>

#include "experiment/record_summary.hpp"
#include "experiment/service.hpp"

namespace lathe::manager {

namespace {

using nlohmann::ordered_json;

constexpr std::array<std::string_view, 5> kPreparationNames{"NONE", "WAITING", "RUNNING", "DONE", "FAILED"};

template <class T>
void add(ordered_json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = *value;
}

void add(ordered_json& json, const char* key, const std::string& value) {
  if (!value.empty()) json[key] = value;
}

void add(ordered_json& json, const char* key, const ordered_json& value) {
  if (!value.is_null()) json[key] = value;
}

ordered_json counts_of(const ExperimentRecord& record) {
  ordered_json counts = ordered_json::object();
  for (const proto::TrialStatus status : proto::all_trial_statuses) {
    counts[std::string(proto::to_string(status))] = record.counts[static_cast<std::size_t>(status)];
  }
  return counts;
}

double seconds(Milliseconds span) {
  return static_cast<double>(span) / 1000.0;
}

}  // namespace

ordered_json to_json(const ExperimentRecord& record) {
  ordered_json json = ordered_json::object();
  json["id"] = record.id;
  add(json, "name", record.name);
  json["status"] = proto::to_string(record.status);
  add(json, "config", record.config);
  if (!record.config.is_null()) add_summary(json, record.config);
  json["createdTime"] = record.created_ms;
  add(json, "startTime", record.start_ms);
  add(json, "endTime", record.end_ms);
  json["runDuration"] = seconds(record.run_ms);
  json["nextSequence"] = record.next_sequence;
  json["preparation"] = kPreparationNames[static_cast<std::size_t>(record.preparation)];
  add(json, "baseline", record.baseline);
  add(json, "error", record.error);
  add(json, "obstacle", record.obstacle);
  json["warnings"] = record.warnings;
  if (record.best_trial) {
    json["best"] = ordered_json{{"trialId", *record.best_trial}};
    add(json["best"], "metric", record.best_metric);
  }
  json["counts"] = counts_of(record);
  json["directory"] = record.directory;
  return json;
}

ordered_json to_json(const AttemptRecord& record) {
  ordered_json json = ordered_json::object();
  json["attempt"] = record.attempt;
  add(json, "host", record.host);
  add(json, "startTime", record.start_ms);
  json["endTime"] = record.end_ms;
  add(json, "reason", record.reason);
  return json;
}

ordered_json to_json(const TrialRecord& record) {
  ordered_json json = ordered_json::object();
  json["experimentId"] = record.experiment_id;
  json["id"] = record.id;
  json["sequence"] = record.sequence;
  json["status"] = proto::to_string(record.status);
  json["source"] = record.source;
  json["parameters"] = record.parameters;
  json["attempt"] = record.attempt;
  add(json, "waitReason", record.wait_reason);
  json["submitTime"] = record.submit_ms;
  add(json, "startTime", record.start_ms);
  add(json, "endTime", record.end_ms);
  if (record.start_ms && record.end_ms) json["duration"] = seconds(*record.end_ms - *record.start_ms);
  add(json, "exitCode", record.exit_code);
  add(json, "signal", record.signal);
  add(json, "reason", record.reason);
  add(json, "stderrTail", record.stderr_tail);
  add(json, "note", record.note);
  add(json, "pid", record.pid);
  add(json, "host", record.host);
  if (!record.gpus.empty()) json["gpus"] = record.gpus;
  add(json, "metric", record.metric);
  add(json, "finalMetric", record.final_metric);
  json["intermediateCount"] = record.intermediate_count;
  json["directory"] = record.directory;
  for (const AttemptRecord& attempt : record.attempts) json["attempts"].push_back(to_json(attempt));
  return json;
}

ordered_json to_json(const MetricRecord& record) {
  ordered_json json = ordered_json::object();
  json["trialId"] = record.trial_id;
  json["type"] = record.type == proto::MetricType::Final ? "FINAL" : "PERIODICAL";
  json["sequence"] = record.sequence;
  json["time"] = record.time_ms;
  json["value"] = record.value;
  return json;
}

}  // namespace lathe::manager
