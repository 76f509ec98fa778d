#include "schedule_section.hpp"

#include <array>

#include <fmt/format.h>

#include "known_keys.hpp"
#include "reader.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;

constexpr IntegerRange epochs{1, 100'000};
constexpr IntegerRange warmup_epochs{0, 100'000};
constexpr IntegerRange warmup_steps{0, 1'000'000'000};
constexpr NumberRange factors{.low = 0, .high = 1, .excludes_low = true};

/// The types that a key is for; all of them have the others.
struct KeyOfType {
  std::string_view key;
  std::array<bool, 4> has;  ///< by LearningRateKind
};

constexpr std::array keys_of_types{
    KeyOfType{"stepSize", {false, true, false, false}},
    KeyOfType{"gamma", {false, true, true, false}},
    KeyOfType{"milestones", {false, false, true, false}},
    KeyOfType{"minLearningRate", {false, false, false, true}},
};

bool has(LearningRateKind kind, const KeyOfType& row) {
  return row.has[static_cast<std::size_t>(kind)];
}

std::vector<std::int64_t> read_milestones(const Value& value, Problems& problems) {
  std::vector<std::int64_t> milestones;
  if (!value.json().is_array() || value.json().empty()) {
    problems.add_mismatch(value, "a list of epochs such as [30, 60]");
    return milestones;
  }
  for (const Value& item : value.items()) {
    const auto milestone = read_integer(item, epochs, problems);
    if (!milestone) continue;
    if (!milestones.empty() && *milestone <= milestones.back()) {
      problems.add(item, fmt::format("expected an epoch above {}, found {}", milestones.back(), *milestone));
    }
    milestones.push_back(*milestone);
  }
  return milestones;
}

void check_keys(const Fields& fields, LearningRateKind kind, Problems& problems) {
  for (const KeyOfType& row : keys_of_types) {
    const auto field = fields.find(row.key);
    if (!field || has(kind, row)) continue;
    problems.add(*field, fmt::format("a schedule of type {} has no {}", name_of(names::schedules, kind), row.key));
  }
}

}  // namespace

ScheduleConfig read_schedule(const Value& value, Problems& problems) {
  ScheduleConfig config;
  if (value.json().is_string()) {
    if (const auto index = read_name(value, names_of(names::schedules), problems)) {
      config.kind = names::schedules[*index].value;
    }
    if (config.kind == LearningRateKind::Multistep) problems.add(value, "multistep needs milestones");
    return config;
  }
  Fields fields(value, keys::schedule, problems);
  if (!fields.is_object()) return config;
  if (!fields.require("type", "one of " + listed(names_of(names::schedules)))) return config;
  fields.name("type", config.kind, names::schedules);
  check_keys(fields, config.kind, problems);
  fields.integer("stepSize", config.step_size, epochs);
  fields.number("gamma", config.gamma, factors);
  if (config.kind == LearningRateKind::Multistep) {
    const auto milestones = fields.require("milestones", "a list of epochs such as [30, 60]");
    if (milestones) config.milestones = read_milestones(*milestones, problems);
  }
  fields.number("minLearningRate", config.min_learning_rate, non_negative_number);
  fields.integer("warmupEpochs", config.warmup_epochs, warmup_epochs);
  fields.integer("warmupSteps", config.warmup_steps, warmup_steps);
  if (config.warmup_epochs > 0 && config.warmup_steps > 0) {
    problems.add(*fields.find("warmupSteps"), "warmupEpochs is given too; expected one of the two");
  }
  return config;
}

ordered_json schedule_json(const ScheduleConfig& config) {
  ordered_json json{{"type", name_of(names::schedules, config.kind)}};
  for (const KeyOfType& row : keys_of_types) {
    if (!has(config.kind, row)) continue;
    if (row.key == "stepSize") json["stepSize"] = config.step_size;
    if (row.key == "gamma") json["gamma"] = config.gamma;
    if (row.key == "milestones") json["milestones"] = config.milestones;
    if (row.key == "minLearningRate") json["minLearningRate"] = config.min_learning_rate;
  }
  json["warmupEpochs"] = config.warmup_epochs;
  json["warmupSteps"] = config.warmup_steps;
  return json;
}

}  // namespace lathe::proto
