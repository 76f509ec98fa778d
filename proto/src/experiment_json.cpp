// The canonical form of a config and of its words.
#include <nlohmann/json.hpp>

#include <lathe/proto/experiment_config.hpp>

#include "known_keys.hpp"
#include "tuner_section.hpp"

namespace lathe::proto {

std::string_view to_string(OptimizeMode mode) {
  return name_of(names::optimize_modes, mode);
}

std::string_view to_string(TunerKind kind) {
  return name_of(names::tuners, kind);
}

std::string_view to_string(ObjectiveMetric metric) {
  return name_of(names::objective_metrics, metric);
}

nlohmann::ordered_json to_json(const ExperimentConfig& config) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!config.experiment_name.empty()) json["experimentName"] = config.experiment_name;
  json["searchSpace"] = to_json(config.search_space);
  if (config.trial_command) json["trialCommand"] = *config.trial_command;
  if (!config.trial_code_directory.empty()) json["trialCodeDirectory"] = config.trial_code_directory.string();
  json["trialConcurrency"] = config.trial_concurrency;
  if (config.max_trial_number) json["maxTrialNumber"] = *config.max_trial_number;
  if (config.max_experiment_duration) json["maxExperimentDuration"] = to_string(*config.max_experiment_duration);
  if (config.max_trial_duration) json["maxTrialDuration"] = to_string(*config.max_trial_duration);
  json["tuner"] = tuner_json(config.tuner);
  if (config.trial_gpu_number) json["trialGpuNumber"] = *config.trial_gpu_number;
  json["maxRetries"] = {{"lost", config.max_retries.lost}, {"failed", config.max_retries.failed}};
  json["trainingService"] = to_json(config.training_services);
  if (config.compression) json["compression"] = to_json(*config.compression);
  return json;
}

}  // namespace lathe::proto
