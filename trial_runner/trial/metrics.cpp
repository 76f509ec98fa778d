#include "metrics.hpp"

#include <fmt/format.h>

#include <lathe/compression/measure.hpp>
#include <lathe/compression/model.hpp>

namespace lathe::trial {
namespace {

using proto::ObjectiveMetric;

double value_of(const Metrics& metrics, ObjectiveMetric metric) {
  switch (metric) {
    case ObjectiveMetric::Accuracy:
      return metrics.accuracy.value();
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
    case ObjectiveMetric::EffectiveBytes:
      return static_cast<double>(metrics.effective_bytes);
    case ObjectiveMetric::LatencyMs:
      return metrics.latency_ms;
  }
  return metrics.accuracy.value();
}

}  // namespace

bool judges_time(const proto::ObjectiveConfig& objective) {
  return objective.metric == ObjectiveMetric::LatencyMs || objective.metric == ObjectiveMetric::Speedup;
}

double objective_value(const Metrics& metrics, const proto::ObjectiveConfig& objective) {
  const double excess = objective.max_accuracy_drop ? metrics.accuracy_drop.value() - *objective.max_accuracy_drop : 0;
  if (excess <= 0) return value_of(metrics, objective.metric);
  constexpr double behind_everything = 1e12;
  return proto::is_maximized(objective.metric) ? -excess : behind_everything * (1 + excess);
}

nlohmann::ordered_json to_json(const Metrics& metrics, const proto::ObjectiveConfig& objective) {
  nlohmann::ordered_json json{{"default", objective_value(metrics, objective)}};
  if (metrics.accuracy) json["accuracy"] = *metrics.accuracy;
  if (metrics.accuracy_drop) json["accuracy_drop"] = *metrics.accuracy_drop;
  json["loss"] = metrics.loss;
  json["sparsity"] = metrics.sparsity;
  json["parameters"] = metrics.parameters;
  json["macs"] = metrics.macs;
  json["size_bytes"] = metrics.size_bytes;
  json["effective_bytes"] = metrics.effective_bytes;
  json["activation_bytes"] = metrics.activation_bytes;
  json["latency_ms"] = metrics.latency_ms;
  json["speedup"] = metrics.speedup;
  if (!metrics.int8) return json;
  if (metrics.int8->accuracy) json["int8_accuracy"] = *metrics.int8->accuracy;
  json["int8_loss"] = metrics.int8->loss;
  json["int8_size_bytes"] = metrics.int8->size_bytes;
  json["int8_latency_ms"] = metrics.int8->latency_ms;
  json["int8_speedup"] = metrics.int8->speedup;
  return json;
}

std::int64_t effective_bytes(const torch::jit::Module& model, const std::map<std::string, int>& weight_bits) {
  constexpr std::int64_t float_bits = 32;
  std::int64_t bits = compression::count_parameters(model) * float_bits;
  for (const compression::Layer& layer : compression::layers_of(model)) {
    const auto quantized = weight_bits.find(layer.name);
    if (quantized != weight_bits.end() && layer.weight.defined())
      bits -= layer.weight.numel() * (float_bits - quantized->second);
  }
  return (bits + 7) / 8;
}

nlohmann::ordered_json to_json(const compression::Evaluation& quality) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (quality.accuracy) json["accuracy"] = *quality.accuracy;
  json["loss"] = quality.loss;
  return json;
}

std::string accuracy_text(const std::optional<double>& accuracy) {
  return accuracy ? fmt::format("{:.4f}", *accuracy) : "none";
}

}  // namespace lathe::trial
