#include "optimization_section.hpp"

#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "known_keys.hpp"
#include "schedule_section.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;
using OptimizerArgs = std::map<std::string, double>;

constexpr NumberRange below_one{.low = 0, .high = 1, .excludes_high = true};

struct ArgumentRule {
  std::string_view name;
  NumberRange range;
};

constexpr std::array argument_rules{
    ArgumentRule{"momentum", below_one},
    ArgumentRule{"weight_decay", non_negative_number},
    ArgumentRule{"dampening", NumberRange{0, 1}},
    ArgumentRule{"beta1", below_one},
    ArgumentRule{"beta2", below_one},
    ArgumentRule{"eps", positive_number},
};

std::span<const std::string_view> argument_keys(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::Sgd:
      return keys::sgd_args;
    case OptimizerKind::Adam:
    case OptimizerKind::AdamW:
      return keys::adam_args;
  }
  return {};
}

/// A flag that may be written as false/true or 0/1, as PyTorch's users do.
void read_nesterov(const Value& value, OptimizerArgs& args, Problems& problems) {
  const auto& json = value.json();
  if (json.is_boolean()) {
    args["nesterov"] = json.get<bool>() ? 1 : 0;
  } else if (json.is_number() && (json == 0 || json == 1)) {
    args["nesterov"] = json.get<double>();
  } else {
    problems.add_mismatch(value, "true or false");
  }
}

/// PyTorch's spelling of beta1 and beta2.
void read_betas(const Value& value, OptimizerArgs& args, Problems& problems) {
  const std::vector<Value> betas = value.items();
  if (betas.size() != 2) {
    problems.add_mismatch(value, "a list of two numbers [beta1, beta2]");
    return;
  }
  constexpr std::array<const char*, 2> names{"beta1", "beta2"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (args.contains(names[i]))
      problems.add(betas[i], fmt::format("{} is given twice, here and by its own name", names[i]));
    if (const auto beta = read_number(betas[i], below_one, problems)) args[names[i]] = *beta;
  }
}

/// Nesterov's method has no meaning otherwise, and LibTorch throws.
void check_nesterov(const Value& value, const OptimizerArgs& args, Problems& problems) {
  const auto get = [&](const char* name) { return args.contains(name) ? args.at(name) : 0.0; };
  if (get("nesterov") == 0 || (get("momentum") > 0 && get("dampening") == 0)) return;
  problems.add(value, fmt::format("nesterov needs momentum > 0 and dampening 0, found momentum {} and dampening {}",
                                  get("momentum"), get("dampening")));
}

OptimizerArgs read_arguments(const Value& value, OptimizerKind kind, Problems& problems) {
  OptimizerArgs args;
  const Fields fields(value, argument_keys(kind), problems);
  for (const ArgumentRule& rule : argument_rules) {
    const auto field = fields.find(rule.name);
    if (!field) continue;
    if (const auto number = read_number(*field, rule.range, problems)) args[std::string(rule.name)] = *number;
  }
  if (const auto nesterov = fields.find("nesterov")) read_nesterov(*nesterov, args, problems);
  if (const auto betas = fields.find("betas")) read_betas(*betas, args, problems);
  check_nesterov(value, args, problems);
  return args;
}

}  // namespace

void read_optimization(Fields& fields, OptimizationConfig& config, Problems& problems) {
  const OptimizerKind inherited = config.optimizer;
  fields.name("optimizer", config.optimizer, names::optimizers);
  if (config.optimizer != inherited) config.optimizer_args.clear();
  if (const auto args = fields.find("optimizerArgs"))
    config.optimizer_args = read_arguments(*args, config.optimizer, problems);
  fields.number("learningRate", config.learning_rate, positive_number);
  fields.integer("batchSize", config.batch_size, {1, 1'000'000});
  if (const auto schedule = fields.find("schedule")) config.schedule = read_schedule(*schedule, problems);
  if (config.schedule.min_learning_rate > config.learning_rate) {
    problems.add(*fields.find("schedule"), fmt::format("minLearningRate {} is above the learning rate, {}",
                                                       config.schedule.min_learning_rate, config.learning_rate));
  }
  fields.number("clipNorm", config.clip_norm, positive_number);
  fields.number("clipValue", config.clip_value, positive_number);
}

void write_optimization(const OptimizationConfig& config, nlohmann::ordered_json& json) {
  json["optimizer"] = name_of(names::optimizers, config.optimizer);
  json["optimizerArgs"] = ordered_json(config.optimizer_args);
  json["learningRate"] = config.learning_rate;
  json["batchSize"] = config.batch_size;
  json["schedule"] = schedule_json(config.schedule);
  if (config.clip_norm) json["clipNorm"] = *config.clip_norm;
  if (config.clip_value) json["clipValue"] = *config.clip_value;
}

}  // namespace lathe::proto
