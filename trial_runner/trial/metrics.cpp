#include "metrics.hpp"

namespace lathe::trial {
namespace {

using proto::ObjectiveMetric;

double value_of(const Metrics& metrics, ObjectiveMetric metric) {
  switch (metric) {
    case ObjectiveMetric::Accuracy:
      return metrics.accuracy;
    case ObjectiveMetric::Loss:
      return metrics.loss;
    case ObjectiveMetric::Sparsity:
      return metrics.sparsity;
    case ObjectiveMetric::Speedup:
      return metrics.speedup;
    case ObjectiveMetric::Parameters:
      return static_cast<double>(metrics.parameters);
    case ObjectiveMetric::Macs:
      return static_cast<double>(metrics.macs);
    case ObjectiveMetric::SizeBytes:
      return static_cast<double>(metrics.size_bytes);
    case ObjectiveMetric::LatencyMs:
      return metrics.latency_ms;
  }
  return metrics.accuracy;
}

}  // namespace

double objective_value(const Metrics& metrics, const proto::ObjectiveConfig& objective) {
  const double excess = objective.max_accuracy_drop ? metrics.accuracy_drop - *objective.max_accuracy_drop : 0;
  if (excess <= 0) return value_of(metrics, objective.metric);
  constexpr double behind_everything = 1e12;
  return proto::is_maximized(objective.metric) ? -excess : behind_everything * (1 + excess);
}

nlohmann::ordered_json to_json(const Metrics& metrics, const proto::ObjectiveConfig& objective) {
  return {{"default", objective_value(metrics, objective)},
          {"accuracy", metrics.accuracy},
          {"accuracy_drop", metrics.accuracy_drop},
          {"loss", metrics.loss},
          {"sparsity", metrics.sparsity},
          {"parameters", metrics.parameters},
          {"macs", metrics.macs},
          {"size_bytes", metrics.size_bytes},
          {"latency_ms", metrics.latency_ms},
          {"speedup", metrics.speedup}};
}

}  // namespace lathe::trial
