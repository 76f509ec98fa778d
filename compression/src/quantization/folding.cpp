#include <map>
#include <optional>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <lathe/compression/quant_folding.hpp>

#include "graph/schema.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Node;

bool is_convolution(const std::string& type) {
  return type == "Conv1d" || type == "Conv2d" || type == "Conv3d";
}

bool is_batch_norm(const std::string& type) {
  return type == "BatchNorm1d" || type == "BatchNorm2d" || type == "BatchNorm3d";
}

std::map<std::string, int> calls_by_layer(const TappedModel& tapped) {
  std::map<std::string, int> count;
  for (const LayerCall& call : tapped.calls()) ++count[call.layer];
  return count;
}

/// The node that computes the module, in the block or below; nullptr: none.
const Node* batch_norm_node(const FlatGraph& graph, const torch::jit::Block* block, const std::string& module) {
  for (const Node* node : block->nodes()) {
    const Origin* origin = graph.origin(node);
    if (node->kind() == c10::Symbol::aten("batch_norm") && origin != nullptr && origin->module == module) return node;
    for (const torch::jit::Block* inner : node->blocks()) {
      if (const Node* found = batch_norm_node(graph, inner, module)) return found;
    }
  }
  return nullptr;
}

at::Tensor tensor_attribute(const torch::jit::Module& module, const std::string& name) {
  if (!module.hasattr(name)) return {};
  const c10::IValue value = module.attr(name);
  return value.isTensor() ? value.toTensor() : at::Tensor();
}

std::optional<torch::jit::Module> module_at(const torch::jit::Module& model, const std::string& path) {
  for (const auto& named : model.named_modules()) {
    if (named.name == path) return named.value;
  }
  return std::nullopt;
}

/// Nothing without running statistics, or when eps is not written in the graph.
std::optional<BatchNormStatistics> statistics_of(const FlatGraph& graph, const std::string& path) {
  const Node* node = batch_norm_node(graph, graph.graph()->block(), path);
  const auto module = module_at(graph.model(), path);
  if (node == nullptr || !module) return std::nullopt;
  const c10::IValue eps = constant_value(argument(node, "eps"));
  BatchNormStatistics statistics{tensor_attribute(*module, "weight"), tensor_attribute(*module, "bias"),
                                 tensor_attribute(*module, "running_mean"), tensor_attribute(*module, "running_var"),
                                 0};
  if (!eps.isDouble() || !statistics.mean.defined() || !statistics.variance.defined()) return std::nullopt;
  statistics.eps = eps.toDouble();
  return statistics;
}

at::Tensor or_zeros(const at::Tensor& tensor, const at::Tensor& like) {
  return tensor.defined() ? tensor.detach() : at::zeros_like(like);
}

}  // namespace

at::Tensor BatchNormStatistics::factor() const {
  const c10::NoGradGuard no_grad;
  at::Tensor factor = (variance.detach() + eps).rsqrt_();
  return gamma.defined() ? factor.mul_(gamma.detach()) : factor;
}

std::vector<FoldablePair> foldable_pairs(const TappedModel& tapped) {
  std::vector<FoldablePair> pairs;
  auto count = calls_by_layer(tapped);
  for (const LayerCall& convolution : tapped.calls()) {
    if (!is_convolution(convolution.type) || count[convolution.layer] != 1) continue;
    if (convolution.output == nullptr || convolution.output->uses().size() != 1) continue;
    for (const LayerCall& next : tapped.calls()) {
      if (next.input != convolution.output || !is_batch_norm(next.type) || count[next.layer] != 1) continue;
      auto statistics = statistics_of(tapped.graph(), next.layer);
      if (statistics) pairs.push_back({convolution.layer, next.layer, std::move(*statistics)});
    }
  }
  return pairs;
}

FoldedConvolution fold_batch_norm(const at::Tensor& weight, const at::Tensor& bias,
                                  const BatchNormStatistics& statistics) {
  const c10::NoGradGuard no_grad;
  const at::Tensor factor = statistics.factor();
  std::vector<std::int64_t> shape(static_cast<std::size_t>(weight.dim()), 1);
  shape[0] = -1;
  const at::Tensor shift = or_zeros(bias, factor) - statistics.mean.detach();
  return {weight.detach() * factor.view(shape), or_zeros(statistics.beta, factor) + shift * factor};
}

}  // namespace lathe::compression
