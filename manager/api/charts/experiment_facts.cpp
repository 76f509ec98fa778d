#include "api/charts/experiment_facts.hpp"

#include <array>
#include <functional>
#include <string>
#include <utility>

#include "experiment/record_summary.hpp"

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

/// The final metrics of lathe-trial; `int8_` before a name is the same of the integer model.
constexpr std::array<std::pair<std::string_view, Goal>, 11> known_goals{{{"accuracy", Goal::Maximize},
                                                                         {"accuracy_drop", Goal::Minimize},
                                                                         {"loss", Goal::Minimize},
                                                                         {"sparsity", Goal::Maximize},
                                                                         {"parameters", Goal::Minimize},
                                                                         {"macs", Goal::Minimize},
                                                                         {"size_bytes", Goal::Minimize},
                                                                         {"effective_bytes", Goal::Minimize},
                                                                         {"activation_bytes", Goal::Minimize},
                                                                         {"latency_ms", Goal::Minimize},
                                                                         {"speedup", Goal::Maximize}}};
constexpr std::string_view metric_prefix = "metric.";
constexpr std::string_view int8_prefix = "int8_";

/// The key of the final metric that a column shows; empty: none.
std::string_view key_of(std::string_view column) {
  if (column == "metric") return "default";
  return column.starts_with(metric_prefix) ? column.substr(metric_prefix.size()) : std::string_view();
}

}  // namespace

std::string_view to_string(Goal goal) {
  return goal == Goal::Maximize ? "maximize" : "minimize";
}

std::optional<Goal> ExperimentFacts::goal_of(std::string_view column) const {
  std::string_view key = key_of(column);
  if (key == "default") return objective_of(record_.config).maximize ? Goal::Maximize : Goal::Minimize;
  if (!record_.config.is_object() || !record_.config.contains("compression")) return std::nullopt;
  if (key.starts_with(int8_prefix)) key.remove_prefix(int8_prefix.size());
  for (const auto& [name, goal] : known_goals) {
    if (name == key) return goal;
  }
  return std::nullopt;
}

std::optional<double> ExperimentFacts::baseline_of(std::string_view column) const {
  if (!record_.baseline.is_object()) return std::nullopt;
  const auto found = record_.baseline.find(std::string(key_of(column)));
  if (found == record_.baseline.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

proto::Checked<proto::SearchSpace> ExperimentFacts::search_space() const {
  if (!record_.config.is_object() || !record_.config.contains("searchSpace")) return proto::SearchSpace{};
  return proto::parse_search_space(record_.config.at("searchSpace"));
}

std::size_t ExperimentFacts::fingerprint() const {
  const auto text = [](const ordered_json& json) {
    return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  };
  return std::hash<std::string>()(text(record_.config) + text(record_.baseline));
}

}  // namespace lathe::manager
