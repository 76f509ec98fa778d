#include "finetuning_section.hpp"

#include <fmt/format.h>

#include "known_keys.hpp"
#include "optimization_section.hpp"
#include "reader.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;

constexpr IntegerRange training_epochs{0, 100'000};
constexpr NumberRange fractions{.low = 0, .high = 1};
constexpr NumberRange smoothing{.low = 0, .high = 1, .excludes_high = true};

DistillationConfig read_distillation(const Value& value, Problems& problems) {
  DistillationConfig config;
  Fields fields(value, keys::distillation, problems);
  fields.number("temperature", config.temperature, positive_number);
  fields.number("alpha", config.alpha, fractions);
  return config;
}

EarlyStopConfig read_early_stop(const Value& value, Problems& problems) {
  EarlyStopConfig config;
  Fields fields(value, keys::early_stop, problems);
  if (fields.is_object() && fields.require("patience", "epochs without improvement, after which training ends")) {
    fields.integer("patience", config.patience, {1, training_epochs.high});
  }
  fields.number("minDelta", config.min_delta, non_negative_number);
  return config;
}

/// What only losses of classes can do.
void check_loss(const Fields& fields, const FinetuningConfig& config, Problems& problems) {
  if (tells_classes_apart(config.loss)) return;
  const auto name = name_of(names::losses, config.loss);
  if (const auto field = fields.find("labelSmoothing"); field && config.label_smoothing > 0) {
    problems.add(*field, fmt::format("needs the loss crossEntropy or nll, found {}", name));
  }
  if (const auto field = fields.find("distillation")) {
    problems.add(*field, fmt::format("needs the loss crossEntropy or nll, found {}", name));
  }
}

}  // namespace

bool tells_classes_apart(LossKind loss) {
  return loss == LossKind::CrossEntropy || loss == LossKind::Nll;
}

FinetuningConfig read_finetuning(const Value& value, Problems& problems) {
  FinetuningConfig config;
  Fields fields(value, keys::finetuning, problems);
  fields.integer("epochs", config.epochs, training_epochs);
  read_optimization(fields, config, problems);
  fields.name("loss", config.loss, names::losses);
  fields.number("labelSmoothing", config.label_smoothing, smoothing);
  if (const auto teacher = fields.find("distillation")) config.distillation = read_distillation(*teacher, problems);
  if (const auto stop = fields.find("earlyStop")) config.early_stop = read_early_stop(*stop, problems);
  fields.boolean("restoreBest", config.restore_best);
  fields.boolean("freezeBatchNorm", config.freeze_batch_norm);
  check_loss(fields, config, problems);
  return config;
}

nlohmann::ordered_json finetuning_json(const FinetuningConfig& config) {
  ordered_json json{{"epochs", config.epochs}};
  write_optimization(config, json);
  json["loss"] = name_of(names::losses, config.loss);
  json["labelSmoothing"] = config.label_smoothing;
  if (config.distillation) {
    json["distillation"] = {{"temperature", config.distillation->temperature}, {"alpha", config.distillation->alpha}};
  }
  if (config.early_stop) {
    json["earlyStop"] = {{"patience", config.early_stop->patience}, {"minDelta", config.early_stop->min_delta}};
  }
  json["restoreBest"] = config.restore_best;
  json["freezeBatchNorm"] = config.freeze_batch_norm;
  return json;
}

SparsifyingConfig sparsifying_of(const CompressionConfig& config) {
  if (config.sparsifying) return *config.sparsifying;
  const OptimizationConfig& same = config.finetuning;
  SparsifyingConfig sparsifying{same, {}};
  sparsifying.schedule = {};
  return sparsifying;
}

SparsifyingConfig read_sparsifying(const Value& value, const CompressionConfig& config, Problems& problems) {
  SparsifyingConfig sparsifying = sparsifying_of(config);
  Fields fields(value, keys::sparsifying, problems);
  fields.integer("epochs", sparsifying.epochs, training_epochs);
  read_optimization(fields, sparsifying, problems);
  return sparsifying;
}

nlohmann::ordered_json sparsifying_json(const SparsifyingConfig& config) {
  ordered_json json = ordered_json::object();
  if (config.epochs) json["epochs"] = *config.epochs;
  write_optimization(config, json);
  return json;
}

}  // namespace lathe::proto
