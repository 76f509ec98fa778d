#include "output/parameters.hpp"

#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace lathe::cli {
namespace {

constexpr std::string_view name_key = "_name";

std::string value_text(const Json& value) {
  if (value.is_number_float()) return fmt::format("{:.4g}", value.get<double>());
  if (value.is_string()) return value.get<std::string>();
  return dump(value);
}

/// Collects `path=value` of every leaf; a chosen option's `_name` stands for the choice itself.
void collect(const Json& value, const std::string& path, std::vector<std::string>& parts) {
  if (!value.is_object() || value.empty()) {
    parts.push_back(path + "=" + value_text(value));
    return;
  }
  if (value.contains(name_key)) parts.push_back(path + "=" + value_text(value.at(std::string(name_key))));
  for (const auto& [key, item] : value.items()) {
    if (key != name_key) collect(item, path + "." + key, parts);
  }
}

bool is_only_choice(const Json& parameters) {
  return parameters.size() == 1 && parameters.front().is_object() && parameters.front().contains(name_key);
}

std::vector<std::string> parts_of(const Json& parameters) {
  std::vector<std::string> parts;
  const bool only_choice = is_only_choice(parameters);
  const Json& shown = only_choice ? parameters.front() : parameters;
  if (only_choice) parts.push_back(value_text(shown.at(std::string(name_key))));
  for (const auto& [key, item] : shown.items()) {
    if (!only_choice || key != name_key) collect(item, key, parts);
  }
  return parts;
}

}  // namespace

std::string compact_parameters(const Json& parameters) {
  if (!parameters.is_object()) return parameters.is_null() ? std::string{} : value_text(parameters);
  return fmt::format("{}", fmt::join(parts_of(parameters), " "));
}

}  // namespace lathe::cli
