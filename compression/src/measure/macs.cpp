#include <algorithm>
#include <string>
#include <unordered_map>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/measure.hpp>

#include "graph/interpreter.hpp"

namespace lathe::compression {
namespace {

/// Every weight is used once for each place of the output (of the input, when the convolution is transposed) and
/// sample.
std::int64_t macs_of(const LayerOp& op, const at::Tensor& weight, const at::Tensor& input, const at::Tensor& output) {
  const bool is_convolution = weight.dim() > 2;
  const at::Tensor& places = op.transposed ? input : output;
  const std::int64_t channels = is_convolution ? places.size(places.dim() - weight.dim() + 1) : places.size(-1);
  return weight.numel() * (places.numel() / std::max<std::int64_t>(channels, 1));
}

/// The tensor that the layer reads: `self` and `bias` of addmm come before it.
at::Tensor input_of(const torch::jit::Node* node, const Values& inputs) {
  return inputs.at(node->kind() == c10::aten::addmm ? 1 : 0).toTensor();
}

void add(std::vector<LayerMacs>& list, const std::string& layer, std::int64_t macs) {
  const auto known = std::find_if(list.begin(), list.end(), [&](const LayerMacs& each) { return each.layer == layer; });
  if (known == list.end())
    list.push_back({layer, macs});
  else
    known->macs += macs;
}

std::vector<LayerMacs> count(const FlatGraph& flat, const at::Tensor& example) {
  std::unordered_map<const torch::jit::Node*, LayerOp> ops;
  for (auto& op : flat.layer_ops()) ops.emplace(op.node, op);
  std::unordered_map<std::string, at::Tensor> parameters;
  for (const auto& [name, tensor] : flat.model().named_parameters()) parameters.emplace(name, tensor);
  std::vector<LayerMacs> list;
  (void)interpret(flat, example, [&](const torch::jit::Node* node, const Values& inputs, const Values& outputs) {
    const auto op = ops.find(node);
    const auto weight = op == ops.end() ? parameters.end() : parameters.find(op->second.weight);
    if (weight == parameters.end()) return;
    add(list, op->second.layer, macs_of(op->second, weight->second, input_of(node, inputs), outputs.at(0).toTensor()));
  });
  for (auto& each : list) each.macs /= std::max<std::int64_t>(example.size(0), 1);
  return list;
}

}  // namespace

Result<std::vector<LayerMacs>> count_macs(const torch::jit::Module& model, const at::Tensor& example) {
  const at::NoGradGuard no_grad;
  if (example.dim() == 0) return fail("counting: the example has no batch axis");
  torch::jit::Module copy = copy_model(model);
  copy.eval();
  const auto flat = FlatGraph::of(copy);
  if (!flat) return tl::unexpected(flat.error());
  try {
    return count(*flat, example);
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    return fail(
        fmt::format("counting: the model does not run on the example: {}", reason.substr(0, reason.find('\n'))));
  }
}

}  // namespace lathe::compression
