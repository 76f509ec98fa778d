#include "int8/layer_arguments.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "graph/schema.hpp"
#include "int8/patterns.hpp"

namespace lathe::compression {

using torch::jit::Node;
using torch::jit::Value;

bool is_linear(const Node* node) {
  return node->kind() == c10::Symbol::fromQualString("aten::linear");
}

c10::IValue known(const Node* node, const char* name) {
  const Value* value = argument(node, name);
  return value != nullptr ? constant_value(value) : c10::IValue();
}

/// One number an axis, also where a single one stands for both.
std::optional<std::vector<std::int64_t>> both_axes(const Node* node, const char* name) {
  const c10::IValue value = known(node, name);
  if (!value.isIntList()) return std::nullopt;
  auto numbers = value.toIntVector();
  if (numbers.size() == 1) numbers.push_back(numbers.front());
  if (numbers.size() != 2) return std::nullopt;
  return numbers;
}

namespace {

std::optional<std::string> unsupported_arguments(const Node* node) {
  const Value* bias = argument(node, "bias");
  if (bias == nullptr || bias->node()->kind() != c10::prim::Constant) return "its bias is not a constant";
  if (is_linear(node)) return std::nullopt;
  if (const c10::IValue transposed = known(node, "transposed"); transposed.isBool() && transposed.toBool())
    return "no int8 kernel is used for transposed convolutions";
  for (const char* name : {"stride", "padding", "dilation"}) {
    if (!both_axes(node, name)) return fmt::format("its {} is not a constant pair of numbers", name);
  }
  if (!known(node, "groups").isInt()) return "its groups are not a constant";
  return std::nullopt;
}

std::optional<std::string> unusable_grid(const TensorGrid& grid, const char* what) {
  if (grid.bits != 8) return fmt::format("its {} has {} bits", what, grid.bits);
  if (grid.place == TapPlace::Weight) return std::nullopt;
  if (!is_byte_grid(grid)) return fmt::format("its {} has a scale for each channel", what);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> obstacle(const FrozenGraph& graph, const Node* node) {
  const FrozenWeight& weight = *graph.weight(argument(node, "weight"));
  if (weight.grid == nullptr) return "its weight is not quantized";
  if (const auto reason = unusable_grid(*weight.grid, "weight")) return reason;
  if (!weight.grid->grid && weight.grid->weight.ne(0).any().item<bool>())
    return "the levels of its weight are no multiples of a scale";
  if (const TensorGrid* input = graph.grid(node->input(0)->node())) {
    if (const auto reason = unusable_grid(*input, "input")) return reason;
  }
  for (const auto& use : node->output()->uses()) {
    const TensorGrid* output = graph.grid(use.user);
    if (output == nullptr || output->layer != weight.layer || output->place != TapPlace::Output) continue;
    if (const auto reason = unusable_grid(*output, "output")) return reason;
  }
  return unsupported_arguments(node);
}

}  // namespace lathe::compression
