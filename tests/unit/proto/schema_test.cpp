// The schemas must speak of what the parser knows, no more and no less.
#include <algorithm>
#include <fstream>
#include <set>
#include <span>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "known_keys.hpp"
#include "search_space_types.hpp"

namespace lathe::proto {
namespace {

using nlohmann::json;

json schema(const std::string& name) {
  std::ifstream file(std::string(LATHE_SCHEMA_DIRECTORY) + "/" + name);
  return json::parse(file);
}

std::set<std::string> property_names(const json& object) {
  std::set<std::string> names;
  for (const auto& [name, rule] : object.at("properties").items()) names.insert(name);
  return names;
}

std::set<std::string> texts(std::span<const std::string_view> names) {
  return {names.begin(), names.end()};
}

/// Every `$ref` to a place in the same document, anywhere below.
void collect_references(const json& node, std::set<std::string>& references) {
  if (node.is_object() && node.contains("$ref")) references.insert(node["$ref"].get<std::string>());
  if (!node.is_structured()) return;
  for (const json& child : node) collect_references(child, references);
}

struct Block {
  const char* pointer;  ///< of the object schema
  std::span<const std::string_view> keys;
};

const std::vector<Block>& blocks() {
  static const std::vector<Block> all{
      {"", keys::experiment},
      {"/$defs/retries", keys::retries},
      {"/$defs/localService", keys::local_service},
      {"/$defs/remoteService", keys::remote_service},
      {"/$defs/machine", keys::machine},
      {"/$defs/sshAddress", keys::ssh_address},
      {"/$defs/slurmService", keys::slurm_service},
      {"/$defs/paiService", keys::pai_service},
      {"/$defs/paiService/properties/paiConfig", keys::pai_config},
      {"/$defs/tuner", keys::tuner},
      {"/$defs/randomArgs", keys::random_args},
      {"/$defs/annealArgs", keys::anneal_args},
      {"/$defs/tpeArgs", keys::tpe_args},
      {"/$defs/tpeArgs/properties/tpe_args", keys::tpe_settings},
      {"/$defs/compression", keys::compression},
      {"/$defs/compression/properties/evaluation", keys::evaluation},
      {"/$defs/compression/properties/objective/oneOf/1", keys::objective},
      {"/$defs/compression/properties/latency", keys::latency},
      {"/$defs/compression/properties/speedup", keys::speedup},
      {"/$defs/data", keys::data},
      {"/$defs/data/properties/normalize", keys::normalize},
      {"/$defs/idxPart", keys::idx_part},
      {"/$defs/cifarPart", keys::cifar_part},
      {"/$defs/tensorPart", keys::tensor_part},
      {"/$defs/data/properties/augment", keys::augment},
      {"/$defs/npyPart", keys::npy_part},
      {"/$defs/imagePart", keys::image_part},
      {"/$defs/finetuning", keys::finetuning},
      {"/$defs/finetuning/properties/distillation", keys::distillation},
      {"/$defs/finetuning/properties/earlyStop", keys::early_stop},
      {"/$defs/sparsifying", keys::sparsifying},
      {"/$defs/schedule/oneOf/1", keys::schedule},
      {"/$defs/compression/properties/calibration", keys::calibration},
      {"/$defs/sgdArgs", keys::sgd_args},
      {"/$defs/adamArgs", keys::adam_args},
  };
  return all;
}

TEST(Schema, HasEveryKeyOfTheParserAndNoOther) {
  const json experiment = schema("experiment.schema.json");
  for (const Block& block : blocks()) {
    const json& object = experiment.at(json::json_pointer(block.pointer));
    EXPECT_EQ(property_names(object), texts(block.keys)) << block.pointer;
    EXPECT_EQ(object.at("additionalProperties"), false) << block.pointer;
  }
}

TEST(Schema, HasEveryNameOfTheParser) {
  const json experiment = schema("experiment.schema.json");
  const auto names = [&](const char* pointer) {
    return experiment.at(json::json_pointer(pointer)).at("enum").get<std::set<std::string>>();
  };
  EXPECT_EQ(names("/$defs/tuner/properties/name"), texts(names_of(names::tuners)));
  EXPECT_EQ(names("/$defs/optimizeMode"), texts(names_of(names::optimize_modes)));
  EXPECT_EQ(names("/$defs/data/properties/format"), texts(names_of(names::data_formats)));
  EXPECT_EQ(names("/$defs/compression/properties/evaluation/properties/metric"),
            texts(names_of(names::evaluation_metrics)));
  EXPECT_EQ(names("/$defs/finetuning/properties/optimizer"), texts(names_of(names::optimizers)));
  EXPECT_EQ(names("/$defs/sparsifying/properties/optimizer"), texts(names_of(names::optimizers)));
  EXPECT_EQ(names("/$defs/finetuning/properties/loss"), texts(names_of(names::losses)));
  EXPECT_EQ(names("/$defs/scheduleType"), texts(names_of(names::schedules)));
  EXPECT_EQ(names("/$defs/objectiveMetric"), texts(names_of(names::objective_metrics)));
}

TEST(Schema, HasEveryParameterType) {
  const json space = schema("search_space.schema.json");
  std::set<std::string> types;
  for (const auto& [name, definition] : space.at("$defs").items()) {
    if (!definition.contains("properties") || !definition["properties"].contains("_type")) continue;
    const json& type = definition["properties"]["_type"];
    if (type.contains("const")) types.insert(type["const"].get<std::string>());
    for (const json& value : type.value("enum", json::array())) types.insert(value.get<std::string>());
  }
  std::set<std::string> known;
  for (const ParameterType& type : parameter_types) known.emplace(type.name);
  EXPECT_EQ(types, known);
}

TEST(Schema, HasNoReferenceToNothing) {
  for (const char* name : {"experiment.schema.json", "search_space.schema.json"}) {
    const json document = schema(name);
    EXPECT_EQ(document.at("$schema"), "https://json-schema.org/draft/2020-12/schema");
    std::set<std::string> references;
    collect_references(document, references);
    EXPECT_FALSE(references.empty());
    for (const std::string& reference : references) {
      if (reference == "search_space.schema.json") continue;
      ASSERT_TRUE(reference.starts_with("#/")) << reference;
      EXPECT_TRUE(document.contains(json::json_pointer(reference.substr(1)))) << name << " " << reference;
    }
  }
}

}  // namespace
}  // namespace lathe::proto
