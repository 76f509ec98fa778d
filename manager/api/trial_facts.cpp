#include "api/trial_facts.hpp"

#include <optional>
#include <string>

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

std::string_view text_at(const ordered_json& trial, const char* key) {
  const auto found = trial.find(key);
  if (found == trial.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>();
}

template <class Number>
std::optional<Number> number_at(const ordered_json& trial, const char* key) {
  const auto found = trial.find(key);
  if (found == trial.end() || !found->is_number()) return std::nullopt;
  return found->get<Number>();
}

const ordered_json* value_at(const ordered_json& trial, const char* key) {
  const auto found = trial.find(key);
  return found == trial.end() ? nullptr : &*found;
}

}  // namespace

TrialFacts facts_of(const TrialRecord& record) {
  TrialFacts facts;
  facts.sequence = record.sequence;
  facts.id = record.id;
  facts.status = proto::to_string(record.status);
  facts.source = record.source;
  facts.host = record.host;
  facts.attempt = record.attempt;
  facts.submit_ms = record.submit_ms;
  facts.start_ms = record.start_ms;
  facts.end_ms = record.end_ms;
  facts.intermediate_count = record.intermediate_count;
  facts.metric = record.metric;
  facts.parameters = &record.parameters;
  facts.final_metric = &record.final_metric;
  return facts;
}

void put_event(TrialTable& table, std::string_view data) {
  const auto trial = ordered_json::parse(data, nullptr, false);
  if (!trial.is_object()) return;
  const auto sequence = number_at<std::int64_t>(trial, "sequence");
  if (!sequence) return;
  TrialFacts facts;
  facts.sequence = *sequence;
  facts.id = text_at(trial, "id");
  facts.status = text_at(trial, "status");
  facts.source = text_at(trial, "source");
  facts.host = text_at(trial, "host");
  facts.attempt = number_at<std::int64_t>(trial, "attempt").value_or(0);
  facts.submit_ms = number_at<std::int64_t>(trial, "submitTime").value_or(0);
  facts.start_ms = number_at<std::int64_t>(trial, "startTime");
  facts.end_ms = number_at<std::int64_t>(trial, "endTime");
  facts.intermediate_count = number_at<std::int64_t>(trial, "intermediateCount").value_or(0);
  facts.metric = number_at<double>(trial, "metric");
  facts.parameters = value_at(trial, "parameters");
  facts.final_metric = value_at(trial, "finalMetric");
  table.put(facts);
}

}  // namespace lathe::manager
