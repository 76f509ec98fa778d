// Fields of what the other end says, which may be of any shape: what is missing or of another type is empty.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace lathe::agent {

[[nodiscard]] inline std::string text_of(const nlohmann::ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

[[nodiscard]] inline std::uint64_t number_of(const nlohmann::ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

[[nodiscard]] inline bool flag_of(const nlohmann::ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

[[nodiscard]] inline std::vector<nlohmann::ordered_json> list_of(const nlohmann::ordered_json& object,
                                                                 const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? std::vector<nlohmann::ordered_json>(found->begin(), found->end())
                                                    : std::vector<nlohmann::ordered_json>();
}

[[nodiscard]] inline std::vector<std::string> texts_of(const nlohmann::ordered_json& object, const char* key) {
  std::vector<std::string> texts;
  for (const nlohmann::ordered_json& item : list_of(object, key))
    texts.push_back(item.is_string() ? item.get<std::string>() : "");
  return texts;
}

}  // namespace lathe::agent
