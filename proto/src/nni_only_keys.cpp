#include "nni_only_keys.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "known_keys.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;

/// A key that may be ignored, and the value at which ignoring it changes nothing at all (null: none).
struct IgnoredKey {
  std::string_view key;
  ordered_json harmless;
};

void warn_of_ignored(const Fields& fields, const std::vector<IgnoredKey>& keys, Problems& problems) {
  for (const IgnoredKey& row : keys) {
    const auto value = fields.find(row.key);
    if (value && value->json() != row.harmless) {
      problems.warn(*value, fmt::format("ignored: {}, since Lathe does not act on it yet", describe(value->json())));
    }
  }
}

void check_gpu_number(const Fields& fields, Problems& problems) {
  const auto value = fields.find("trialGpuNumber");
  if (!value) return;
  const auto number = read_integer(*value, {0, 1'000'000}, problems);
  if (number.value_or(0) > 0)
    problems.add(*value, fmt::format("not supported yet: trials on GPUs; expected 0, found {}", *number));
}

void check_annotation(const Fields& fields, Problems& problems) {
  const auto value = fields.find("useAnnotation");
  if (value && read_bool(*value, problems).value_or(false)) {
    problems.add(*value, "not supported yet: annotations; expected false and a search space, found true");
  }
}

void check_type(const Fields& fields, Problems& problems) {
  constexpr auto types = std::to_array<std::string_view>({"hpo", "nas"});
  const auto value = fields.find("experimentType");
  const auto index = value ? read_name(*value, types, problems) : std::nullopt;
  if (index && types[*index] != "hpo")
    problems.add(*value, "not supported yet: architecture search; expected hpo, found nas");
}

void refuse(const Fields& fields, std::string_view key, std::string_view what, Problems& problems) {
  const auto value = fields.find(key);
  if (value)
    problems.add(*value, fmt::format("not supported yet: {}; expected none, found {}", what, describe(value->json())));
}

constexpr auto later_platforms = std::to_array<std::string_view>(
    {"remote", "openpai", "pai", "aml", "dlc", "kubeflow", "frameworkcontroller", "adl", "dlts", "hybrid", "slurm"});

/// False: the other keys belong to another platform, and judging them makes no sense.
bool is_local_platform(const Value& platform, Problems& problems) {
  if (!platform.json().is_string()) {
    problems.add_mismatch(platform, "local");
    return false;
  }
  const std::string name = normalized_key(platform.json().get_ref<const std::string&>());
  if (name == "local") return true;
  const bool is_later = std::find(later_platforms.begin(), later_platforms.end(), name) != later_platforms.end();
  problems.add(platform, fmt::format("{} platform {}; expected local", is_later ? "not supported yet:" : "unknown",
                                     describe(platform.json())));
  return false;
}

/// The platform of an object, whatever else is in it.
std::optional<Value> find_platform(const Value& service) {
  for (const Member& member : service.members()) {
    if (normalized_key(member.name) == "platform" && !member.value.json().is_null()) return member.value;
  }
  return std::nullopt;
}

void refuse_copies(const Fields& fields, Problems& problems) {
  for (const std::string_view key : {"trialCommand", "trialCodeDirectory"}) {
    if (const auto value = fields.find(key)) {
      problems.add(*value, fmt::format("not supported here; expected {} at the top level, found {}", key,
                                       describe(value->json())));
    }
  }
}

}  // namespace

void check_nni_only_keys(const Fields& experiment, Problems& problems) {
  check_type(experiment, problems);
  check_annotation(experiment, problems);
  check_gpu_number(experiment, problems);
  refuse(experiment, "assessor", "assessors", problems);
  refuse(experiment, "advisor", "advisors", problems);
  warn_of_ignored(experiment,
                  {{"nniManagerIp", nullptr},
                   {"debug", false},
                   {"logLevel", nullptr},
                   {"experimentWorkingDirectory", nullptr},
                   {"tunerGpuIndices", nullptr},
                   {"sharedStorage", nullptr}},
                  problems);
}

TrainingServiceConfig read_training_service(const Value& value, Problems& problems) {
  TrainingServiceConfig config;
  if (value.json().is_array()) {
    problems.add(value,
                 "not supported yet: several training services; expected an object with platform: local, found a list");
    return config;
  }
  const auto platform = find_platform(value);
  if (platform && !is_local_platform(*platform, problems)) return config;
  Fields fields(value, keys::training_service, problems);
  (void)fields.require("platform", "local");
  refuse_copies(fields, problems);
  check_gpu_number(fields, problems);
  warn_of_ignored(fields,
                  {{"nniManagerIp", nullptr},
                   {"debug", false},
                   {"useActiveGpu", false},
                   {"maxTrialNumberPerGpu", 1},
                   {"gpuIndices", nullptr},
                   {"reuseMode", false}},
                  problems);
  return config;
}

}  // namespace lathe::proto
