#include "report.hpp"

#include <map>

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

}  // namespace

std::vector<LayerReport> compare_layers(const torch::jit::Module& original,
                                        const std::vector<compression::LayerMacs>& macs_before,
                                        const torch::jit::Module& compressed,
                                        const std::vector<compression::LayerMacs>& macs_after) {
  auto before = by_layer(macs_before);
  auto after = by_layer(macs_after);
  std::map<std::string, at::Tensor> weights;
  for (const auto& layer : compression::layers_of(compressed)) weights[layer.name] = layer.weight;
  std::vector<LayerReport> reports;
  for (const auto& layer : compression::layers_of(original)) {
    const at::Tensor& weight = weights[layer.name];
    if (!layer.weight.defined() || !weight.defined()) continue;
    const auto nonzero = static_cast<double>(at::count_nonzero(weight.detach()).item<std::int64_t>());
    reports.push_back({layer.name, layer.type, layer.weight.sizes().vec(), weight.sizes().vec(),
                       1 - nonzero / static_cast<double>(layer.weight.numel()), before[layer.name], after[layer.name]});
  }
  return reports;
}

nlohmann::ordered_json to_json(const std::vector<LayerReport>& layers) {
  auto json = nlohmann::ordered_json::array();
  for (const LayerReport& layer : layers) {
    json.push_back({{"name", layer.name},
                    {"type", layer.type},
                    {"shape_before", layer.shape_before},
                    {"shape_after", layer.shape_after},
                    {"sparsity", layer.sparsity},
                    {"macs_before", layer.macs_before},
                    {"macs_after", layer.macs_after}});
  }
  return json;
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
