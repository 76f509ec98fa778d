// Holds answers against the schemas of openapi.yaml.
#pragma once

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <yaml-cpp/yaml.h>
#include <nlohmann/json.hpp>

#include "api/openapi_text.hpp"

namespace lathe::manager::testing {

/// What is wrong with an answer: its types, its required keys, keys that nobody has documented, words that are not of
/// an enumeration, lists that are too short or too long. Knows what of JSON Schema the description uses.
class SchemaCheck {
 public:
  SchemaCheck() : description_(YAML::Load(std::string(openapi_text()))) {}

  std::vector<std::string> errors(const nlohmann::json& value, const std::string& schema) {
    errors_.clear();
    check(value, description_["components"]["schemas"][schema], schema);
    return errors_;
  }

 private:
  void check(const nlohmann::json& value, const YAML::Node& schema, const std::string& path) {
    if (schema["$ref"]) {
      const auto reference = schema["$ref"].as<std::string>();
      return check(value, description_["components"]["schemas"][reference.substr(reference.rfind('/') + 1)], path);
    }
    if (schema["type"] && !has_type(value, schema["type"])) errors_.push_back(path + ": its type is another");
    if (schema["enum"] && !is_among(value, schema["enum"])) errors_.push_back(path + ": an unknown word");
    if (value.is_array()) check_array(value, schema, path);
    if (value.is_object()) check_object(value, schema, path);
  }

  static bool has_type(const nlohmann::json& value, const YAML::Node& types) {
    if (types.IsScalar()) return is(value, types.as<std::string>());
    for (const auto& type : types) {
      if (is(value, type.as<std::string>())) return true;
    }
    return false;
  }

  static bool is(const nlohmann::json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    return type == "integer" ? value.is_number_integer() : value.is_number();
  }

  static bool is_among(const nlohmann::json& value, const YAML::Node& words) {
    for (const auto& word : words) {
      if (value.is_string() && value.get<std::string>() == word.as<std::string>()) return true;
    }
    return false;
  }

  void check_array(const nlohmann::json& value, const YAML::Node& schema, const std::string& path) {
    if (schema["minItems"] && value.size() < schema["minItems"].as<std::size_t>())
      errors_.push_back(path + ": too short");
    if (schema["maxItems"] && value.size() > schema["maxItems"].as<std::size_t>())
      errors_.push_back(path + ": too long");
    if (!schema["items"]) return;
    for (const auto& item : value) check(item, schema["items"], path + "[]");
  }

  void check_object(const nlohmann::json& value, const YAML::Node& schema, const std::string& path) {
    for (const auto& key : schema["required"]) {
      if (!value.contains(key.as<std::string>())) errors_.push_back(path + "." + key.as<std::string>() + ": missing");
    }
    for (const auto& [key, child] : value.items()) {
      const YAML::Node properties = schema["properties"];
      if (properties && properties[key]) {
        check(child, properties[key], path + "." + key);
      } else if (schema["additionalProperties"] && schema["additionalProperties"].IsMap()) {
        check(child, schema["additionalProperties"], path + "." + key);
      } else if (properties) {
        errors_.push_back(path + "." + key + ": not documented");
      }
    }
  }

  YAML::Node description_;
  std::vector<std::string> errors_;
};

}  // namespace lathe::manager::testing
