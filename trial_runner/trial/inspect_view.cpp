// An inspection for people and for programs.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "inspect.hpp"
#include "report.hpp"

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;
using compression::ChannelGroup;
using compression::Cutting;

const char* name_of(Cutting cutting) {
  switch (cutting) {
    case Cutting::Whole:
      return "cut";
    case Cutting::Partial:
      return "kept";
    case Cutting::Output:
      return "output";
    case Cutting::Refused:
      return "refused";
  }
  return "";
}

template <class T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const ChannelGroup& group) {
  Json json{{"layers", group.layers},
            {"channels", group.channels},
            {"parts", group.parts},
            {"pruned", name_of(group.cutting)}};
  if (group.cutting == Cutting::Refused) json["reason"] = group.reason;
  for (const auto& kept : group.kept)
    json["kept"].push_back({{"place", kept.place}, {"channels", kept.channels}, {"reason", kept.reason}});
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

std::string explanation(const ChannelGroup& group) {
  switch (group.cutting) {
    case Cutting::Whole:
      return "";
    case Cutting::Output:
      return "    feed the model's output: keep their channels\n";
    case Cutting::Refused:
      return "    refused: " + group.reason + "\n";
    case Cutting::Partial: {
      std::string lines;
      for (const auto& kept : group.kept)
        lines += fmt::format("    kept as zeros by {}: {}\n", kept.place, kept.reason);
      return lines;
    }
  }
  return "";
}

std::string group_list(const std::vector<ChannelGroup>& groups) {
  std::string text = "\nchannels that are pruned together\n";
  for (const auto& group : groups) {
    const auto parts = group.parts > 1 ? fmt::format(", equally many in each of {} parts", group.parts) : "";
    text += fmt::format("  {} channels{}: {}\n", group.channels, parts, fmt::join(group.layers, ", "));
    text += explanation(group);
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
