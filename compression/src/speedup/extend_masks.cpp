#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones_like.h>
#include <fmt/format.h>

#include <lathe/compression/speedup.hpp>

#include "speedup/masked_model.hpp"
#include "speedup/traced_model.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Module;

/// Longest chain of layers that a channel may pass on its way; each round extends the masks by one more at the least.
constexpr int kMostRounds = 64;

/// By path of a parameter with one entry a channel: the channels that every use of it sees as constants.
std::map<std::string, std::vector<char>> constant_channels(const ChannelTrace& trace) {
  std::map<std::string, std::vector<char>> dead;
  for (const auto& layer : trace.pass_through)
    for (const auto& path : {layer.weight, layer.bias}) {
      if (path.empty()) continue;
      auto& channels = dead.try_emplace(path, layer.dead).first->second;
      for (std::size_t i = 0; i < channels.size(); ++i) channels[i] = static_cast<char>(channels[i] & layer.dead[i]);
    }
  return dead;
}

/// The mask of parameter `path` inside `masks`, all ones when there was none.
at::Tensor& mask_of(Masks& masks, const std::string& path, const at::Tensor& parameter) {
  const auto dot = path.rfind('.');
  Mask& mask = masks[dot == std::string::npos ? std::string() : path.substr(0, dot)];
  at::Tensor& values = path.substr(dot == std::string::npos ? 0 : dot + 1) == "bias" ? mask.bias : mask.weight;
  values = values.defined() ? values.clone() : at::ones_like(parameter);
  return values;
}

/// Returns whether a mask has grown.
bool extend(Masks& masks, const std::string& path, const std::vector<char>& dead, const at::Tensor& parameter) {
  at::Tensor& mask = mask_of(masks, path, parameter);
  bool grown = false;
  for (std::size_t i = 0; i < dead.size(); ++i) {
    at::Tensor slice = mask.select(0, static_cast<std::int64_t>(i));
    if (!dead[i] || !slice.ne(0).any().item<bool>()) continue;
    slice.zero_();
    grown = true;
  }
  return grown;
}

Result<bool> extend_once(const Module& model, Masks& masks, const at::Tensor& example) {
  const auto checked = check_masks(model, masks);
  if (!checked) return tl::unexpected(checked.error());
  const auto traced = trace_model(model, *checked, example);
  if (!traced) return tl::unexpected(traced.error());
  std::map<std::string, at::Tensor> parameters;
  for (const auto& [name, tensor] : traced->masked.named_parameters()) parameters.emplace(name, tensor);
  bool grown = false;
  for (const auto& [path, dead] : constant_channels(traced->trace))
    if (std::find(dead.begin(), dead.end(), 1) != dead.end() && parameters.contains(path))
      grown |= extend(masks, path, dead, parameters.at(path));
  return grown;
}

}  // namespace

Result<Masks> extend_masks(const Module& model, const Masks& masks, const at::Tensor& example) {
  const at::NoGradGuard no_grad;
  Masks extended = masks;
  try {
    for (int round = 0; round < kMostRounds; ++round) {
      const auto grown = extend_once(model, extended, example);
      if (!grown) return tl::unexpected(grown.error());
      if (!*grown) break;
    }
    return extended;
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    return fail(fmt::format("masks cannot be extended: {}", reason.substr(0, reason.find('\n'))));
  }
}

}  // namespace lathe::compression
