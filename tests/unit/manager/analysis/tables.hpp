// Tables for tests, from trials written as JSON.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "analysis/trial_table.hpp"

namespace lathe::manager {

/// Adds a trial: id T<sequence>, status SUCCEEDED, these parameters and this final metric, of which `metric` is the
/// number.
inline void put(TrialTable& table, std::int64_t sequence, const std::string& parameters, const std::string& metric = "",
                std::string_view status = "SUCCEEDED") {
  const auto parsed = nlohmann::ordered_json::parse(parameters);
  const auto reported = metric.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json::parse(metric);
  const std::string id = "T" + std::to_string(sequence);
  TrialFacts facts;
  facts.sequence = sequence;
  facts.id = id;
  facts.status = status;
  facts.source = "algorithm";
  facts.host = "local";
  facts.submit_ms = 1000 * sequence;
  facts.parameters = &parsed;
  facts.final_metric = &reported;
  if (reported.is_number()) facts.metric = reported.get<double>();
  if (reported.is_object() && reported.contains("default")) facts.metric = reported.at("default").get<double>();
  table.put(facts);
}

}  // namespace lathe::manager
