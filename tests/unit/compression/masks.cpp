#include "masks.hpp"

#include <random>

#include <ATen/ops/ones_like.h>

namespace lathe::compression::test_models {

Masks filter_masks(const torch::jit::Module& model, const std::map<std::string, std::vector<std::int64_t>>& pruned) {
  Masks masks;
  for (const auto& layer : layers_of(model)) {
    const auto found = pruned.find(layer.name);
    if (found == pruned.end()) continue;
    Mask mask{at::ones_like(layer.weight.detach()), {}};
    if (layer.bias.defined()) mask.bias = at::ones_like(layer.bias.detach());
    for (const auto index : found->second) {
      mask.weight.select(0, index).zero_();
      if (mask.bias.defined()) mask.bias.select(0, index).zero_();
    }
    masks.emplace(layer.name, mask);
  }
  return masks;
}

Masks random_filter_masks(const torch::jit::Module& model, const std::set<std::string>& excluded, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::map<std::string, std::vector<std::int64_t>> pruned;
  for (const auto& layer : layers_of(model)) {
    if (layer.weight.dim() < 2 || excluded.contains(layer.name)) continue;
    const auto filters = static_cast<std::uint64_t>(layer.weight.size(0));
    const auto spared = generator() % filters;
    for (std::uint64_t i = 0; i < filters; ++i)
      if (i != spared && generator() % 2 == 0) pruned[layer.name].push_back(static_cast<std::int64_t>(i));
  }
  return filter_masks(model, pruned);
}

std::map<std::string, Shape> weight_shapes(const torch::jit::Module& model) {
  std::map<std::string, Shape> shapes;
  for (const auto& layer : layers_of(model))
    if (layer.weight.defined()) shapes[layer.name] = layer.weight.sizes().vec();
  return shapes;
}

}  // namespace lathe::compression::test_models
