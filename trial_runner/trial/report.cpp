#include "report.hpp"

#include <map>
#include <tuple>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::trial {
namespace {

/// A layer that runs twice costs twice.
std::map<std::string, std::int64_t> by_layer(const std::vector<compression::LayerMacs>& macs) {
  std::map<std::string, std::int64_t> sums;
  for (const auto& [layer, count] : macs) sums[layer] += count;
  return sums;
}

double time_of(const LayerCosts& costs, const std::string& layer) {
  const auto known = costs.milliseconds.find(layer);
  return known == costs.milliseconds.end() ? 0 : known->second;
}

std::optional<int> bits_of(const std::map<std::string, int>& bits, const std::string& layer) {
  const auto known = bits.find(layer);
  return known == bits.end() ? std::nullopt : std::optional(known->second);
}

}  // namespace

Result<LayerCosts> layer_costs(const torch::jit::Module& model, std::vector<compression::LayerMacs> macs,
                               const at::Tensor& example) {
  auto times = compression::module_times(model, example);
  if (!times) return tl::unexpected(times.error());
  auto graph = compression::layer_graph(model, example);
  if (!graph) return tl::unexpected(graph.error());
  return LayerCosts{std::move(macs), std::move(*times), std::move(*graph)};
}

std::vector<LayerReport> compare_layers(const torch::jit::Module& original, const LayerCosts& before,
                                        const torch::jit::Module& compressed, const LayerCosts& after,
                                        const std::map<std::string, int>& bits) {
  auto macs_before = by_layer(before.macs);
  auto macs_after = by_layer(after.macs);
  std::map<std::string, at::Tensor> weights;
  for (const auto& layer : compression::layers_of(compressed)) weights[layer.name] = layer.weight;
  std::vector<LayerReport> reports;
  for (const auto& layer : compression::layers_of(original)) {
    const at::Tensor& weight = weights[layer.name];
    if (!layer.weight.defined() || !weight.defined()) continue;
    const auto nonzero = static_cast<double>(at::count_nonzero(weight.detach()).item<std::int64_t>());
    reports.push_back({layer.name, layer.type, layer.weight.sizes().vec(), weight.sizes().vec(),
                       1 - nonzero / static_cast<double>(layer.weight.numel()), macs_before[layer.name],
                       macs_after[layer.name], time_of(before, layer.name), time_of(after, layer.name),
                       bits_of(bits, layer.name)});
  }
  return reports;
}

nlohmann::ordered_json to_json(const std::vector<LayerReport>& layers) {
  auto json = nlohmann::ordered_json::array();
  for (const LayerReport& layer : layers) {
    auto& entry = json.emplace_back();
    entry = {{"name", layer.name},
             {"type", layer.type},
             {"shape_before", layer.shape_before},
             {"shape_after", layer.shape_after},
             {"sparsity", layer.sparsity},
             {"macs_before", layer.macs_before},
             {"macs_after", layer.macs_after},
             {"latency_ms_before", layer.milliseconds_before},
             {"latency_ms_after", layer.milliseconds_after}};
    if (layer.bits) entry["bits"] = *layer.bits;
  }
  return json;
}

nlohmann::ordered_json graph_json(const compression::LayerGraph& before, const compression::LayerGraph& after) {
  // A node is known again by its name and by the how manieth of that name it is.
  using Key = std::tuple<std::string, std::string, int>;
  const auto keys = [](const compression::LayerGraph& graph) {
    std::map<std::pair<std::string, std::string>, int> seen;
    std::vector<Key> found;
    for (const auto& node : graph.nodes) found.emplace_back(node.layer, node.type, seen[{node.layer, node.type}]++);
    return found;
  };
  std::map<Key, compression::Shape> shapes;
  const auto keys_after = keys(after);
  for (std::size_t i = 0; i < keys_after.size(); ++i) shapes.emplace(keys_after[i], after.nodes[i].output);
  auto nodes = nlohmann::ordered_json::array();
  const auto keys_before = keys(before);
  for (std::size_t i = 0; i < keys_before.size(); ++i) {
    const auto& node = before.nodes[i];
    auto& entry = nodes.emplace_back();
    entry = {{"layer", node.layer}, {"type", node.type}, {"shape_before", node.output}};
    if (const auto now = shapes.find(keys_before[i]); now != shapes.end()) entry["shape_after"] = now->second;
  }
  return {{"nodes", std::move(nodes)}, {"edges", before.edges}};
}

std::string to_text(const compression::Shape& shape) {
  return fmt::format("{}", fmt::join(shape, "x"));
}

std::string to_text(const std::vector<LayerReport>& layers) {
  std::string text = fmt::format("{:<24} {:<14} {:>16} {:>16} {:>9} {:>14} {:>14}\n", "layer", "type", "before",
                                 "after", "sparsity", "MACs before", "MACs after");
  for (const LayerReport& layer : layers) {
    text += fmt::format("{:<24} {:<14} {:>16} {:>16} {:>8.1f}% {:>14} {:>14}\n", layer.name, layer.type,
                        to_text(layer.shape_before), to_text(layer.shape_after), layer.sparsity * 100,
                        layer.macs_before, layer.macs_after);
  }
  return text;
}

}  // namespace lathe::trial
