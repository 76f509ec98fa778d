#include "speedup/masked_model.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ATen/core/grad_mode.h>

#include <lathe/compression/model.hpp>

#include "speedup/mask_slices.hpp"
#include "speedup/slice.hpp"
#include "speedup/unshare.hpp"

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

/// The attribute at `layer.name`.
at::Tensor tensor_at(torch::jit::Module module, const std::string& path) {
  std::size_t start = 0;
  for (std::size_t dot = path.find('.'); dot != std::string::npos; start = dot + 1, dot = path.find('.', start))
    module = module.attr(path.substr(start, dot - start)).toModule();
  return module.attr(path.substr(start)).toTensor();
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
    if (mask.weight.defined() && zero_slices(mask.weight, 0).all().item<bool>())
      return fail(fmt::format("layer `{}` would have no channel left: its mask is zero everywhere", name));
  }
  return checked;
}

torch::jit::Module masked_copy(const torch::jit::Module& model, const PathMasks& masks) {
  torch::jit::Module copy = unshare(model);
  copy.eval();
  const at::NoGradGuard no_grad;
  Replacements masked;
  for (const auto& [path, mask] : masks) {
    const at::Tensor parameter = tensor_at(copy, path).detach();
    const auto [entry, added] = masked.try_emplace(tensor_at(copy, path).unsafeGetTensorImpl(), parameter);
    entry->second = entry->second.mul(mask.to(parameter.device(), parameter.scalar_type()));
  }
  for (const auto& [name, parameter] : copy.named_parameters())
    if (const auto found = masked.find(parameter.unsafeGetTensorImpl()); found != masked.end())
      found->second.set_requires_grad(parameter.requires_grad());
  replace_tensors(copy, masked);
  return copy;
}

}  // namespace lathe::compression
