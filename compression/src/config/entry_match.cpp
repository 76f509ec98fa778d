#include "config/entry_match.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::compression {
namespace {

using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool type_matches(const ConfigEntry& entry, const Layer& layer, const Names& default_types) {
  if (!entry.op_types) return true;
  if (contains(*entry.op_types, layer.type)) return true;
  return contains(*entry.op_types, "default") && contains(default_types, layer.type);
}

bool name_matches(const ConfigEntry& entry, const Layer& layer) {
  if (!entry.op_names && !entry.op_partial_names) return true;
  if (entry.op_names && contains(*entry.op_names, layer.name)) return true;
  return entry.op_partial_names &&
         std::any_of(entry.op_partial_names->begin(), entry.op_partial_names->end(),
                     [&](const std::string& part) { return layer.name.find(part) != std::string::npos; });
}

/// The names that an entry spells out.
Names written_names(const ConfigEntry& entry) {
  Names names = entry.op_names.value_or(Names{});
  for (const auto& [layer, most] : entry.max_sparsities) {
    if (!contains(names, layer)) names.push_back(layer);
  }
  return names;
}

Names name_warnings(const ConfigEntry& entry, const Names& present) {
  Names warnings;
  for (const std::string& name : written_names(entry)) {
    if (contains(present, name)) continue;
    const auto nearest = nearest_names(name, present);
    warnings.push_back(fmt::format("{}: the model has no layer {}{}", entry.label, Json(name).dump(),
                                   nearest.empty() ? "" : fmt::format("; nearest: {}", fmt::join(nearest, ", "))));
  }
  for (const std::string& part : entry.op_partial_names.value_or(Names{})) {
    const auto has_part = [&](const std::string& name) { return name.find(part) != std::string::npos; };
    if (std::any_of(present.begin(), present.end(), has_part)) continue;
    warnings.push_back(fmt::format("{}: op_partial_names: no layer's name contains {}; nearest: {}", entry.label,
                                   Json(part).dump(), fmt::join(nearest_names(part, present), ", ")));
  }
  return warnings;
}

}  // namespace

const ConfigEntry* last_match(const std::vector<ConfigEntry>& entries, const Layer& layer, const Names& default_types) {
  const ConfigEntry* last = nullptr;
  for (const ConfigEntry& entry : entries) {
    if (type_matches(entry, layer, default_types) && name_matches(entry, layer)) last = &entry;
  }
  return last;
}

Names unmatched_warnings(const std::vector<ConfigEntry>& entries, const std::vector<Layer>& layers,
                         const Names& default_types) {
  Names present;
  for (const Layer& layer : layers) present.push_back(layer.name);
  Names warnings;
  for (const ConfigEntry& entry : entries) {
    const Names of_names = name_warnings(entry, present);
    warnings.insert(warnings.end(), of_names.begin(), of_names.end());
    const auto matches = [&](const Layer& layer) {
      return type_matches(entry, layer, default_types) && name_matches(entry, layer);
    };
    if (!of_names.empty() || std::any_of(layers.begin(), layers.end(), matches)) continue;
    warnings.push_back(fmt::format("{}: no layer is of its op_types {}{}", entry.label,
                                   fmt::join(entry.op_types.value_or(Names{}), ", "),
                                   entry.op_names || entry.op_partial_names ? " and has one of its names" : ""));
  }
  return warnings;
}

Error nothing_selected(const std::vector<Layer>& layers, const std::vector<std::string>& warnings) {
  Names present;
  for (const Layer& layer : layers) present.push_back(fmt::format("{} ({})", layer.name, layer.type));
  return {fmt::format("the config_list selects no layer; the model has: {}{}{}", fmt::join(present, ", "),
                      warnings.empty() ? "" : ". ", fmt::join(warnings, ". "))};
}

}  // namespace lathe::compression
