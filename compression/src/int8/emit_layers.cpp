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

c10::IValue call(const char* name, const std::vector<c10::IValue>& arguments) {
  torch::jit::Stack stack(arguments.begin(), arguments.end());
  c10::Dispatcher::singleton().findSchemaOrThrow(name, "").callBoxed(&stack);
  return stack.front();
}

}  // namespace

Result<void> Emitter::emit_layer(Node* node) {
  const FrozenWeight& weight = *frozen_.weight(argument(node, "weight"));
  const auto reason = obstacle(frozen_, node);
  result_.layers.push_back({weight.layer, weight.type, !reason.has_value(), reason.value_or("")});
  if (!reason) return emit_kernel(node, weight, fuse(frozen_, node));
  Node* copy = clone(node);
  forms_[node->output()].plain = copy->output();
  return {};
}

Result<void> Emitter::emit_kernel(Node* node, const FrozenWeight& weight, const Fusion& fusion) {
  Value* input = node->input(0);
  if (!has_bytes(input) && !forms_[input].grid) forms_[input].grid = observed(input);
  const auto grid = grid_for(fusion);
  if (!forms_[input].grid || !grid) {
    return fail(fmt::format("the data never reach layer `{}`, so its range is not known", weight.layer));
  }
  const auto packed = pack(node, weight, fusion);
  if (!packed) return tl::unexpected(packed.error());
  const std::string kernel =
      std::string(is_linear(node) ? "quantized::linear" : "quantized::conv2d") + (fusion.relu ? "_relu" : "");
  Value* made = create(kernel, {bytes(input), *packed, constant(grid->scale), constant(grid->zero_point)});
  // 256 levels end where the ReLU does; the first 128 do not.
  if (fusion.most && reduced_) made = create("aten::hardtanh", {made, constant(0.0), constant(*fusion.most)});
  give_bytes(fusion.result, made, *grid);
  covered_.insert(fusion.inner.begin(), fusion.inner.end());
  return {};
}

Result<torch::jit::Value*> Emitter::pack(const Node* node, const FrozenWeight& weight, const Fusion& fusion) {
  std::optional<BatchNormStatistics> batch_norm;
  if (fusion.batch_norm != nullptr) batch_norm = statistics_of(fusion.batch_norm);
  const auto made = int8_weight(weight, constant_tensor(node, "weight"), constant_tensor(node, "bias"),
                                batch_norm ? &*batch_norm : nullptr);
  if (!made) return tl::unexpected(made.error());
  const c10::IValue bias = made->bias.defined() ? c10::IValue(made->bias) : c10::IValue();
  c10::IValue packed;
  if (is_linear(node)) {
    packed = call("quantized::linear_prepack", {made->weight, bias});
  } else {
    packed =
        call("quantized::conv2d_prepack", {made->weight, bias, *both_axes(node, "stride"), *both_axes(node, "padding"),
                                           *both_axes(node, "dilation"), known(node, "groups").toInt()});
  }
  const std::string attribute = fmt::format("packed_{}", result_.packed.size());
  result_.packed.push_back({attribute, packed});
  Node* read = result_.graph->insertNode(result_.graph->create(c10::prim::GetAttr, {self_}));
  read->s_(c10::attr::name, attribute);
  read->output()->setType(packed.type());
  return read->output();
}

}  // namespace lathe::compression
