#include "experiment/record_summary.hpp"

#include <algorithm>
#include <initializer_list>
#include <vector>

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

/// The value at a path of keys; null where there is none.
const ordered_json& value_at(const ordered_json& json, std::initializer_list<const char*> path) {
  static const ordered_json nothing;
  const ordered_json* here = &json;
  for (const char* key : path) {
    if (!here->is_object()) return nothing;
    const auto found = here->find(key);
    if (found == here->end()) return nothing;
    here = &*found;
  }
  return *here;
}

std::string text_of(const ordered_json& json) {
  return json.is_string() ? json.get<std::string>() : std::string();
}

}  // namespace

std::string platform_of(const ordered_json& config) {
  const ordered_json& services = value_at(config, {"trainingService"});
  if (!services.is_array()) return text_of(value_at(services, {"platform"}));
  std::string platforms;
  std::vector<std::string> seen;
  for (const ordered_json& service : services) {
    std::string platform = text_of(value_at(service, {"platform"}));
    if (platform.empty() || std::find(seen.begin(), seen.end(), platform) != seen.end()) continue;
    platforms += (seen.empty() ? "" : ",") + platform;
    seen.push_back(std::move(platform));
  }
  return platforms;
}

Objective objective_of(const ordered_json& config) {
  Objective objective;
  objective.maximize = text_of(value_at(config, {"tuner", "classArgs", "optimize_mode"})) == "maximize";
  const ordered_json& wanted = value_at(config, {"compression", "objective"});
  objective.metric = text_of(wanted.is_object() ? value_at(wanted, {"metric"}) : wanted);
  if (objective.metric.empty()) objective.metric = "default";
  return objective;
}

void add_summary(ordered_json& json, const ordered_json& config) {
  const Objective objective = objective_of(config);
  json["platform"] = platform_of(config);
  json["objective"] = {{"metric", objective.metric}, {"goal", objective.maximize ? "maximize" : "minimize"}};
}

}  // namespace lathe::manager
