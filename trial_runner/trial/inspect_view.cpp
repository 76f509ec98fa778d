// An inspection for people and for programs.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "inspect.hpp"
#include "report.hpp"

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;
using compression::DependencyGroup;
using compression::LayerSide;

std::vector<std::string> members(const DependencyGroup& group, LayerSide side) {
  std::vector<std::string> names;
  for (const auto& member : group.members)
    if (member.side == side) names.push_back(member.layer);
  return names;
}

template <class T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const DependencyGroup& group) {
  Json json{{"channels", group.channels},
            {"fixed", group.fixed},
            {"makers", members(group, LayerSide::Output)},
            {"readers", members(group, LayerSide::Input)},
            {"holders", Json::array()}};
  for (const auto& holder : group.holders)
    json["holders"].push_back({{"place", holder.place}, {"channels", holder.channels}, {"reason", holder.reason}});
  return json;
}

std::string row(std::size_t width, const std::string& name, const std::string& type, const std::string& weight,
                const std::string& output, const std::string& parameters, const std::string& macs) {
  std::string line = fmt::format("{:<{}}  {:<18}  {:>16}  {:>16}  {:>12}  {:>14}", name, width, type, weight, output,
                                 parameters, macs);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string shape_text(const std::optional<compression::Shape>& shape) {
  return shape ? to_text(*shape) : "";
}

std::string layer_table(const Inspection& found) {
  std::size_t width = 5;
  for (const auto& layer : found.layers) width = std::max(width, layer.name.size());
  const bool has_run = found.input.has_value();
  std::string table =
      row(width, "layer", "type", "weight", has_run ? "output" : "", "parameters", has_run ? "MACs" : "");
  for (const auto& layer : found.layers)
    table += row(width, layer.name, layer.type, shape_text(layer.weight), shape_text(layer.output),
                 std::to_string(layer.parameters), layer.macs ? std::to_string(*layer.macs) : "");
  return table +
         row(width, "total", "", "", "", std::to_string(found.parameters), has_run ? std::to_string(found.macs) : "");
}

std::string group_list(const std::vector<DependencyGroup>& groups) {
  std::string text = "\nchannels that go together: layers that make them -> layers that read them\n";
  for (const auto& group : groups) {
    const auto readers = members(group, LayerSide::Input);
    text += fmt::format("  {} channels: {}{}{}\n", group.channels, fmt::join(members(group, LayerSide::Output), ", "),
                        readers.empty() ? "" : " -> ", fmt::join(readers, ", "));
    if (group.fixed > 0)
      text += fmt::format("    {} stay: the model's input, its output or a fixed tensor has them\n", group.fixed);
    for (const auto& holder : group.holders)
      text += fmt::format("    {} stay, held by {}: {}\n", holder.channels, holder.place, holder.reason);
  }
  return text;
}

}  // namespace

Json to_json(const Inspection& found) {
  Json json{{"model", found.model.string()}, {"parameters", found.parameters}};
  if (found.input) {
    json["input_shape"] = *found.input;
    json["macs"] = found.macs;
    json["operations"] = found.operations;
    json["activation_bytes"] = found.activation_bytes;
  }
  json["layers"] = Json::array();
  for (const auto& layer : found.layers) {
    Json entry{{"name", layer.name},
               {"type", layer.type},
               {"weight_shape", optional_json(layer.weight)},
               {"parameters", layer.parameters}};
    if (found.input) {
      entry["output_shape"] = optional_json(layer.output);
      entry["macs"] = optional_json(layer.macs);
    }
    json["layers"].push_back(std::move(entry));
  }
  if (!found.input) return json;
  json["groups"] = Json::array();
  for (const auto& group : found.groups) json["groups"].push_back(to_json(group));
  return json;
}

std::string to_text(const Inspection& found) {
  if (!found.input) {
    return layer_table(found) +
           "\nWith --input-shape 1,3,224,224 or --input batch.pt: output shapes, multiply-accumulates, and which "
           "channels can be pruned.\n";
  }
  return layer_table(found) +
         fmt::format("\ninput {}, all operations {}, activations at most {} bytes at one time\n", to_text(*found.input),
                     found.operations, found.activation_bytes) +
         group_list(found.groups);
}

}  // namespace lathe::trial
