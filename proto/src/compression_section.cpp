#include "compression_section.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "data_section.hpp"
#include "document.hpp"
#include "finetuning_section.hpp"
#include "known_keys.hpp"
#include "reader.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;

constexpr IntegerRange batch_sizes{1, 1'000'000};
constexpr IntegerRange dimension_sizes{1, 1'000'000};
constexpr std::size_t most_dimensions = 8;

/// 4 GB of floats in one example batch is no model that a trial could run.
constexpr double most_elements = 1e9;

std::vector<std::int64_t> read_shape(const Value& value, Problems& problems) {
  std::vector<std::int64_t> shape;
  const std::vector<Value> sizes = value.items();
  if (sizes.empty() || sizes.size() > most_dimensions) {
    problems.add_mismatch(value, fmt::format("a list of 1 to {} sizes such as [1, 1, 28, 28]", most_dimensions));
    return shape;
  }
  double elements = 1;
  for (const Value& size : sizes) {
    shape.push_back(read_integer(size, dimension_sizes, problems).value_or(1));
    elements *= static_cast<double>(shape.back());
  }
  if (elements > most_elements) {
    problems.add(value, fmt::format("expected at most {:.0f} elements in all, found {:.0f}", most_elements, elements));
  }
  return shape;
}

/// Regression has no accuracy, so that its metric is the loss unless another is asked for.
EvaluationConfig read_evaluation(const std::optional<Value>& value, LossKind loss, Problems& problems) {
  EvaluationConfig config;
  if (loss == LossKind::Mse) config.metric = EvaluationMetric::Loss;
  if (!value) return config;
  Fields fields(*value, keys::evaluation, problems);
  fields.name("metric", config.metric, names::evaluation_metrics);
  if (loss == LossKind::Mse && config.metric == EvaluationMetric::Accuracy) {
    problems.add(*fields.find("metric"), "the loss mse has no accuracy; expected loss");
  }
  fields.integer("batchSize", config.batch_size, batch_sizes);
  return config;
}

CalibrationConfig read_calibration(const Value& value, Problems& problems) {
  CalibrationConfig config;
  Fields fields(value, keys::calibration, problems);
  fields.integer("batches", config.batches, {1, 1'000'000});
  fields.integer("batchSize", config.batch_size, batch_sizes);
  return config;
}

/// Canonical: lower case, and no zeros before the number.
void read_device(const Value& value, std::string& device, Problems& problems) {
  constexpr auto expected = "cpu, cuda, auto or cuda:N with N from 0 to 255";
  const auto text = value.json().is_string() ? normalized_key(value.json().get<std::string>()) : std::string();
  if (text == "cpu" || text == "cuda" || text == "auto") {
    device = text;
    return;
  }
  constexpr std::string_view prefix = "cuda:";
  const std::string digits = text.starts_with(prefix) ? text.substr(prefix.size()) : std::string();
  const bool is_index = !digits.empty() && digits.size() <= 3 &&
                        std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_index || std::stoi(digits) > 255) {
    problems.add_mismatch(value, expected);
    return;
  }
  device = fmt::format("cuda:{}", std::stoi(digits));
}

LatencyConfig read_latency(const Value& value, Problems& problems) {
  LatencyConfig config;
  Fields fields(value, keys::latency, problems);
  fields.integer("runs", config.runs, {1, 1'000'000});
  fields.integer("warmup", config.warmup, {0, 1'000'000});
  fields.integer("batchSize", config.batch_size, batch_sizes);
  return config;
}

SpeedupConfig read_speedup(const Value& value, Problems& problems) {
  SpeedupConfig config;
  Fields fields(value, keys::speedup, problems);
  fields.integer("roundTo", config.round_to, {1, 1024});
  return config;
}

ExportConfig read_exports(const Value& value, Problems& problems) {
  ExportConfig config;
  Fields fields(value, keys::exports, problems);
  if (const auto int8 = fields.find("int8")) config.int8 = read_bool(*int8, problems).value_or(true);
  if (const auto onnx = fields.find("onnx")) config.onnx = read_bool(*onnx, problems).value_or(true);
  if (const auto state = fields.find("stateDict")) config.state_dict = read_bool(*state, problems).value_or(true);
  return config;
}

/// A bare metric name, or `{metric, maxAccuracyDrop}`.
void read_objective(const Value& value, ObjectiveConfig& config, Problems& problems) {
  if (!value.json().is_object()) {
    const auto metrics = names_of(names::objective_metrics);
    if (const auto index = read_name(value, metrics, problems)) config.metric = names::objective_metrics[*index].value;
    return;
  }
  Fields fields(value, keys::objective, problems);
  fields.name("metric", config.metric, names::objective_metrics);
  fields.number("maxAccuracyDrop", config.max_accuracy_drop, {.low = 0, .high = 1});
}

/// Only an evaluation by accuracy yields one.
void check_accuracy_is_measured(const Value& objective, const CompressionConfig& config, Problems& problems) {
  if (config.evaluation.metric == EvaluationMetric::Accuracy) return;
  if (config.objective.metric == ObjectiveMetric::Accuracy) {
    problems.add(objective, "the metric accuracy needs evaluation.metric accuracy, found loss");
  } else if (config.objective.max_accuracy_drop) {
    problems.add(objective, "maxAccuracyDrop needs evaluation.metric accuracy, found loss");
  }
}

nlohmann::ordered_json read_config_list(const Value& value, Problems& problems) {
  if (!value.json().is_array()) problems.add_mismatch(value, "a list of objects");
  for (const Value& item : value.items()) {
    if (!item.json().is_object()) problems.add_mismatch(item, "an object such as {op_types: [Conv2d], sparsity: 0.5}");
    require_finite(item, problems);
  }
  return value.json();
}

}  // namespace

CompressionConfig read_compression(const Value& value, const PathResolver& paths, Problems& problems) {
  CompressionConfig config;
  Fields fields(value, keys::compression, problems);
  if (!fields.is_object()) return config;
  if (const auto model = fields.require("model", "a TorchScript file")) {
    config.model = paths.resolve(*model, PathKind::File, problems).value_or(std::filesystem::path());
  }
  if (const auto shape = fields.require("inputShape", "the shape of one example batch, such as [1, 1, 28, 28]")) {
    config.input_shape = read_shape(*shape, problems);
  }
  if (const auto data = fields.require("data", "the data to train and test on"))
    config.data = read_data(*data, paths, problems);
  if (const auto finetuning = fields.find("finetuning")) config.finetuning = read_finetuning(*finetuning, problems);
  if (const auto sparsifying = fields.find("sparsifying")) {
    config.sparsifying = read_sparsifying(*sparsifying, config, problems);
  }
  if (const auto calibration = fields.find("calibration"))
    config.calibration = read_calibration(*calibration, problems);
  config.evaluation = read_evaluation(fields.find("evaluation"), config.finetuning.loss, problems);
  if (const auto latency = fields.find("latency")) config.latency = read_latency(*latency, problems);
  if (const auto speedup = fields.find("speedup")) config.speedup = read_speedup(*speedup, problems);
  if (const auto exports = fields.find("export")) config.exports = read_exports(*exports, problems);
  if (const auto list = fields.find("configList")) config.config_list = read_config_list(*list, problems);
  if (const auto device = fields.find("device")) read_device(*device, config.device, problems);
  fields.integer("threads", config.threads, {1, 1024});
  fields.seed("seed", config.seed);
  if (const auto warm = fields.find("warm")) config.warm = read_bool(*warm, problems).value_or(true);

  const bool is_by_loss = config.evaluation.metric == EvaluationMetric::Loss;
  config.objective.metric = is_by_loss ? ObjectiveMetric::Loss : ObjectiveMetric::Accuracy;
  if (const auto objective = fields.find("objective")) {
    read_objective(*objective, config.objective, problems);
    check_accuracy_is_measured(*objective, config, problems);
  }
  return config;
}

bool is_maximized(ObjectiveMetric metric) {
  switch (metric) {
    case ObjectiveMetric::Accuracy:
    case ObjectiveMetric::Sparsity:
    case ObjectiveMetric::Speedup:
      return true;
    case ObjectiveMetric::Loss:
    case ObjectiveMetric::Parameters:
    case ObjectiveMetric::Macs:
    case ObjectiveMetric::SizeBytes:
    case ObjectiveMetric::EffectiveBytes:
    case ObjectiveMetric::LatencyMs:
      return false;
  }
  return false;
}

Checked<CompressionConfig> parse_compression_config(const nlohmann::ordered_json& json) {
  const Path root("compression");
  if (!is_within_depth(json)) return tl::unexpected(Errors{Error{"nested too deep", root.to_string(), {}, 0}});
  Problems problems{""};
  CompressionConfig config = read_compression(Value(json, nullptr, root), PathResolver::verbatim(), problems);
  if (!problems.empty()) return tl::unexpected(problems.take_errors());
  return config;
}

nlohmann::ordered_json to_json(const CompressionConfig& config) {
  ordered_json objective{{"metric", name_of(names::objective_metrics, config.objective.metric)}};
  if (config.objective.max_accuracy_drop) objective["maxAccuracyDrop"] = *config.objective.max_accuracy_drop;
  ordered_json json{{"model", config.model.string()},
                    {"inputShape", config.input_shape},
                    {"data", data_json(config.data)},
                    {"evaluation",
                     {{"metric", name_of(names::evaluation_metrics, config.evaluation.metric)},
                      {"batchSize", config.evaluation.batch_size}}},
                    {"finetuning", finetuning_json(config.finetuning)}};
  if (config.sparsifying) json["sparsifying"] = sparsifying_json(*config.sparsifying);
  json["calibration"] = {{"batches", config.calibration.batches}, {"batchSize", config.calibration.batch_size}};
  json["objective"] = std::move(objective);
  json["latency"] = {
      {"runs", config.latency.runs}, {"warmup", config.latency.warmup}, {"batchSize", config.latency.batch_size}};
  json["speedup"] = {{"roundTo", config.speedup.round_to}};
  json["export"] = {
      {"int8", config.exports.int8}, {"onnx", config.exports.onnx}, {"stateDict", config.exports.state_dict}};
  json["configList"] = config.config_list;
  json["device"] = config.device;
  json["threads"] = config.threads;
  json["seed"] = config.seed;
  json["warm"] = config.warm;
  return json;
}

}  // namespace lathe::proto
