// Convolutions and linear layers.
#include <ATen/core/dispatch/Dispatcher.h>
#include <fmt/format.h>

#include "graph/schema.hpp"
#include "int8/emitter.hpp"
#include "int8/layer_arguments.hpp"
#include "int8/layer_weight.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Node;
using torch::jit::Value;

at::Tensor constant_tensor(const Node* node, const char* name) {
  const c10::IValue value = known(node, name);
  return value.isTensor() ? value.toTensor() : at::Tensor();
}

BatchNormStatistics statistics_of(const Node* batch_norm) {
  return {constant_tensor(batch_norm, "weight"), constant_tensor(batch_norm, "bias"),
          constant_tensor(batch_norm, "running_mean"), constant_tensor(batch_norm, "running_var"),
          known(batch_norm, "eps").toDouble()};
}

c10::IValue call(const std::string& name, const std::vector<c10::IValue>& arguments) {
  torch::jit::Stack stack(arguments.begin(), arguments.end());
  c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), "").callBoxed(&stack);
  return stack.front();
}

std::vector<c10::IValue> packing_arguments(const Node* node, const LayerWeight& made) {
  std::vector<c10::IValue> arguments{made.weight, made.bias.defined() ? c10::IValue(made.bias) : c10::IValue()};
  const LayerKind kind = *layer_kind(node);
  if (kind.is_linear()) return arguments;
  const auto add = [&](const char* name) { arguments.emplace_back(*by_axis(node, name, kind.axes)); };
  add("stride");
  add("padding");
  if (kind.transposed) add("output_padding");
  add("dilation");
  arguments.emplace_back(known(node, "groups").toInt());
  return arguments;
}

}  // namespace

std::optional<std::string> Emitter::why_layer_is_float(const Node* node) const {
  if (auto reason = obstacle(frozen_, node)) return reason;
  if (left_float_.contains(node)) return "it is so small that it takes less time in float";
  return std::nullopt;
}

Result<void> Emitter::emit_layer(Node* node) {
  const FrozenWeight& weight = *frozen_.weight(argument(node, "weight"));
  const auto reason = why_layer_is_float(node);
  result_.layers.push_back({weight.layer, weight.type, !reason.has_value(), reason.value_or("")});
  if (!reason) return emit_kernel(node, weight, fuse(frozen_, node));
  Node* copy = clone(node);
  forms_[node->output()].plain = copy->output();
  return {};
}

Result<void> Emitter::emit_kernel(Node* node, const FrozenWeight& weight, const Fusion& fusion) {
  Value* input = node->input(0);
  if (!has_bytes(input) && !forms_[input].grid) forms_[input].grid = observed(input);
  auto grid = grid_for(fusion);
  if (!forms_[input].grid || !grid) {
    return fail(fmt::format("the data never reach layer `{}`, so its range is not known", weight.layer));
  }
  const auto packed = pack(node, weight, fusion);
  if (!packed) return tl::unexpected(packed.error());
  const LayerKind kind = *layer_kind(node);
  if (!kind.is_linear()) grid = told_apart(*grid, weight, forms_[input].grid->scale);
  // Without such a kernel the grid's end cuts off what is negative: its zero point is 0.
  const bool relu_kernel = fusion.relu && !kind.transposed;
  Value* made = create(fmt::format("quantized::{}{}", kind.kernel(), relu_kernel ? "_relu" : ""),
                       {bytes(input), *packed, constant(grid->scale), constant(grid->zero_point)});
  // 256 levels end where the ReLU does; the first 128 do not.
  if (fusion.most && reduced_) made = create("aten::hardtanh", {made, constant(0.0), constant(*fusion.most)});
  give_bytes(fusion.result, made, *grid);
  covered_.insert(fusion.inner.begin(), fusion.inner.end());
  return {};
}

ByteGrid Emitter::told_apart(ByteGrid grid, const FrozenWeight& weight, double input_scale) {
  constexpr double kApart = 1 + 1e-6;  // more than a float32's rounding
  for (;; grid.scale *= kApart) {
    const auto [other, is_new] =
        convolutions_.try_emplace({weight.values.sizes().vec(), input_scale, grid.scale}, grid.zero_point);
    if (is_new || other->second == grid.zero_point) return grid;
  }
}

Result<torch::jit::Value*> Emitter::pack(const Node* node, const FrozenWeight& weight, const Fusion& fusion) {
  std::optional<BatchNormStatistics> batch_norm;
  if (fusion.batch_norm != nullptr) batch_norm = statistics_of(fusion.batch_norm);
  const auto made = int8_weight(weight, constant_tensor(node, "weight"), constant_tensor(node, "bias"),
                                batch_norm ? &*batch_norm : nullptr, layer_kind(node)->transposed);
  if (!made) return tl::unexpected(made.error());
  const c10::IValue packed =
      call(fmt::format("quantized::{}_prepack", layer_kind(node)->kernel()), packing_arguments(node, *made));
  const std::string attribute = fmt::format("packed_{}", result_.packed.size());
  result_.packed.push_back({attribute, packed});
  Node* read = result_.graph->insertNode(result_.graph->create(c10::prim::GetAttr, {self_}));
  read->s_(c10::attr::name, attribute);
  read->output()->setType(packed.type());
  return read->output();
}

}  // namespace lathe::compression
