#include "speedup/masked_model.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ATen/core/grad_mode.h>

#include <lathe/compression/model.hpp>

namespace lathe::compression {
namespace {

Error unknown_layer(const std::string& name, const std::vector<Layer>& layers) {
  std::vector<std::string> names;
  for (const auto& layer : layers) names.push_back(layer.name);
  return {fmt::format("mask of `{}`: the model has no such layer with weights; nearest: {}", name,
                      fmt::join(nearest_names(name, names), ", "))};
}

Result<void> check_mask(const std::string& path, const at::Tensor& mask, const at::Tensor& parameter) {
  if (!parameter.defined()) return fail(fmt::format("mask of `{}`: the layer has no such parameter", path));
  if (mask.sizes() != parameter.sizes())
    return fail(fmt::format("mask of `{}`: expected shape [{}], found [{}]", path, fmt::join(parameter.sizes(), ", "),
                            fmt::join(mask.sizes(), ", ")));
  return {};
}

std::string join(const std::string& layer, const char* parameter) {
  return layer.empty() ? parameter : layer + "." + parameter;
}

}  // namespace

Result<PathMasks> check_masks(const torch::jit::Module& model, const Masks& masks) {
  const auto layers = layers_of(model);
  PathMasks checked;
  for (const auto& [name, mask] : masks) {
    const auto layer = std::find_if(layers.begin(), layers.end(), [&](const Layer& each) { return each.name == name; });
    if (layer == layers.end()) return tl::unexpected(unknown_layer(name, layers));
    for (const auto& [parameter, values, target] :
         {std::tuple{"weight", mask.weight, layer->weight}, std::tuple{"bias", mask.bias, layer->bias}}) {
      if (!values.defined()) continue;
      const std::string path = join(name, parameter);
      if (auto fits = check_mask(path, values, target); !fits) return tl::unexpected(fits.error());
      checked.emplace(path, values);
    }
    if (mask.weight.defined() && !mask.weight.ne(0).any().item<bool>())
      return fail(fmt::format("layer `{}` would have no channel left: its mask is zero everywhere", name));
  }
  return checked;
}

torch::jit::Module masked_copy(const torch::jit::Module& model, const PathMasks& masks) {
  torch::jit::Module copy = copy_model(model);
  copy.eval();
  const at::NoGradGuard no_grad;
  for (const auto& [name, parameter] : copy.named_parameters()) {
    const auto mask = masks.find(name);
    if (mask != masks.end()) at::Tensor(parameter).mul_(mask->second.to(parameter.scalar_type()));
  }
  return copy;
}

}  // namespace lathe::compression
