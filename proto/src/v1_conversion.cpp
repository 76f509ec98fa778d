#include "v1_conversion.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "key_matching.hpp"
#include "reader.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;

/// A key of v1 and where it goes in v2. An empty section is the top level; an empty target key means dropped.
struct Move {
  std::string_view section;
  std::string_view key;
  std::string_view target_section;
  std::string_view target_key;
};

constexpr std::string_view platform_key = "trainingServicePlatform";

constexpr std::array moves{
    Move{"", "experimentName", "", "experimentName"},
    Move{"", "trialConcurrency", "", "trialConcurrency"},
    Move{"", "maxExecDuration", "", "maxExperimentDuration"},
    Move{"", "maxTrialDuration", "", "maxTrialDuration"},
    Move{"", "maxTrialNum", "", "maxTrialNumber"},
    Move{"", platform_key, "trainingService", "platform"},
    Move{"", "searchSpacePath", "", "searchSpaceFile"},
    Move{"", "useAnnotation", "", "useAnnotation"},
    Move{"", "nniManagerIp", "", "nniManagerIp"},
    Move{"", "debug", "", "debug"},
    Move{"", "logLevel", "", "logLevel"},
    Move{"", "logDir", "", "experimentWorkingDirectory"},
    Move{"", "assessor", "", "assessor"},
    Move{"", "advisor", "", "advisor"},
    Move{"", "sharedStorage", "", "sharedStorage"},
    Move{"", "compression", "", "compression"},
    Move{"", "machineList", "trainingService", "machineList"},
    Move{"", "remoteConfig", "trainingService", "remoteConfig"},
    Move{"", "paiConfig", "trainingService", "paiConfig"},
    Move{"", "amlConfig", "trainingService", "amlConfig"},
    Move{"", "adlConfig", "trainingService", "adlConfig"},
    Move{"", "dltsConfig", "trainingService", "dltsConfig"},
    Move{"", "hybridConfig", "trainingService", "hybridConfig"},
    Move{"", "kubeflowConfig", "trainingService", "kubeflowConfig"},
    Move{"", "frameworkcontrollerConfig", "trainingService", "frameworkcontrollerConfig"},
    Move{"", "authorName", "", ""},
    Move{"", "description", "", ""},
    Move{"", "multiThread", "", ""},
    Move{"", "multiPhase", "", ""},
    Move{"", "versionCheck", "", ""},
    Move{"", "logCollection", "", ""},
    Move{"trial", "command", "", "trialCommand"},
    Move{"trial", "codeDir", "", "trialCodeDirectory"},
    Move{"trial", "gpuNum", "", "trialGpuNumber"},
    Move{"trial", "cpuNum", "trainingService", "trialCpuNumber"},
    Move{"trial", "memoryMB", "trainingService", "memoryMB"},
    Move{"trial", "image", "trainingService", "dockerImage"},
    Move{"trial", "virtualCluster", "trainingService", "virtualCluster"},
    Move{"trial", "nniManagerNFSMountPath", "trainingService", "localStorageMountPoint"},
    Move{"trial", "containerNFSMountPath", "trainingService", "containerStorageMountPoint"},
    Move{"trial", "paiStorageConfigName", "trainingService", "storageConfigName"},
    Move{"trial", "paiConfigPath", "trainingService", "openpaiConfigFile"},
    Move{"tuner", "builtinTunerName", "tuner", "name"},
    Move{"tuner", "classArgs", "tuner", "classArgs"},
    Move{"tuner", "className", "tuner", "className"},
    Move{"tuner", "codeDir", "tuner", "codeDirectory"},
    Move{"tuner", "classFileName", "", ""},
    Move{"tuner", "includeIntermediateResults", "", ""},
    Move{"tuner", "gpuIndices", "", "tunerGpuIndices"},
    Move{"localConfig", "gpuIndices", "trainingService", "gpuIndices"},
    Move{"localConfig", "maxTrialNumPerGpu", "trainingService", "maxTrialNumberPerGpu"},
    Move{"localConfig", "useActiveGpu", "trainingService", "useActiveGpu"},
};

constexpr auto sections = std::to_array<std::string_view>({"trial", "tuner", "localConfig"});

std::vector<std::string_view> keys_of(std::string_view section) {
  std::vector<std::string_view> keys;
  for (const Move& move : moves) {
    if (move.section == section) keys.push_back(move.key);
  }
  if (section.empty()) keys.insert(keys.end(), sections.begin(), sections.end());
  return keys;
}

class Converter {
 public:
  Converter(const Value& root, Problems& problems) : problems_(problems) {
    document_.root = ordered_json::object();
    document_.origin.line = root.line();
  }

  void convert(const Value& object, std::string_view section) {
    const std::vector<std::string_view> known = keys_of(section);
    const Fields fields(object, known, problems_);
    for (const Move& move : moves) {
      if (move.section != section) continue;
      if (const auto value = fields.find(move.key)) apply(move, *value);
    }
    if (!section.empty()) return;
    for (const std::string_view name : sections) {
      if (const auto inner = fields.find(name)) convert_section(*inner, name);
    }
  }

  [[nodiscard]] Document take() { return std::move(document_); }

 private:
  void convert_section(const Value& value, std::string_view name) {
    if (name == "tuner") (void)section_of(name, value);  // also when empty, so that its absence is not the error
    convert(value, name);
  }

  void apply(const Move& move, const Value& value) {
    if (move.key == "multiPhase" && value.json() == true) {
      problems_.add_mismatch(value, "false: multi-phase experiments are not supported");
    } else if (move.target_key.empty()) {
      problems_.warn(value, "ignored: it has no meaning any more");
    } else {
      place(move, value);
    }
  }

  struct Target {
    ordered_json* json;
    Origin* origin;
  };

  /// The object that the values of a v2 section go to, made when it is not there yet.
  Target section_of(std::string_view name, const Value& source) {
    if (name.empty()) return {&document_.root, &document_.origin};
    std::size_t index = 0;
    for (const auto& item : document_.root.items()) {
      if (item.key() == name) return {&item.value(), &document_.origin.children[index]};
      ++index;
    }
    append_member(document_.root, std::string(name), ordered_json::object());
    document_.origin.children.push_back(Origin{source.line(), {}, {}});
    return {&document_.root[std::string(name)], &document_.origin.children.back()};
  }

  void place(const Move& move, const Value& value) {
    const Target target = section_of(move.target_section, value);
    append_member(*target.json, std::string(move.target_key), value.json());
    Origin origin = value.origin() == nullptr ? Origin{} : *value.origin();
    origin.moved_from = value.field();
    target.origin->children.push_back(std::move(origin));
  }

  Problems& problems_;
  Document document_;
};

}  // namespace

bool is_v1_config(const Value& root) {
  const std::string telltale = normalized_key(platform_key);
  const std::vector<Member> members = root.members();
  return std::any_of(members.begin(), members.end(),
                     [&](const Member& member) { return normalized_key(member.name) == telltale; });
}

Document convert_v1(const Value& root, Problems& problems) {
  Converter converter(root, problems);
  converter.convert(root, "");
  problems.warn(root, "NNI v1 format: read as the v2 keys that correspond");
  return converter.take();
}

}  // namespace lathe::proto
