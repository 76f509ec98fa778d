#include "int8/layer_arguments.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "graph/schema.hpp"
#include "int8/patterns.hpp"

namespace lathe::compression {

using torch::jit::Node;
using torch::jit::Value;

std::string LayerKind::kernel() const {
  return is_linear() ? "linear" : fmt::format("{}{}d", transposed ? "conv_transpose" : "conv", axes);
}

std::optional<LayerKind> layer_kind(const Node* node) {
  static const std::map<std::string_view, LayerKind> kinds{
      {"aten::linear", {}},
      {"aten::conv1d", {1, false}},
      {"aten::conv2d", {2, false}},
      {"aten::conv3d", {3, false}},
      {"aten::conv_transpose1d", {1, true}},
      {"aten::conv_transpose2d", {2, true}},
      {"aten::conv_transpose3d", {3, true}},
  };
  const std::string_view name = node->kind().toQualString();
  if (const auto found = kinds.find(name); found != kinds.end()) return found->second;
  if (name != "aten::_convolution") return std::nullopt;
  const c10::IValue weight = known(node, "weight");
  const c10::IValue transposed = known(node, "transposed");
  if (!weight.isTensor() || !transposed.isBool()) return std::nullopt;
  const std::int64_t axes = weight.toTensor().dim() - 2;
  if (axes < 1 || axes > 3) return std::nullopt;
  return LayerKind{static_cast<std::size_t>(axes), transposed.toBool()};
}

c10::IValue known(const Node* node, const char* name) {
  const Value* value = argument(node, name);
  return value != nullptr ? constant_value(value) : c10::IValue();
}

std::optional<std::vector<std::int64_t>> by_axis(const Node* node, const char* name, std::size_t axes) {
  const c10::IValue value = known(node, name);
  if (!value.isIntList()) return std::nullopt;
  auto numbers = value.toIntVector();
  if (numbers.size() == 1) numbers.assign(axes, numbers.front());
  if (numbers.size() != axes) return std::nullopt;
  return numbers;
}

namespace {

std::optional<std::string> unsupported_arguments(const Node* node) {
  const Value* bias = argument(node, "bias");
  if (bias == nullptr || bias->node()->kind() != c10::prim::Constant) return "its bias is not a constant";
  const LayerKind kind = *layer_kind(node);
  if (kind.is_linear()) return std::nullopt;
  for (const char* name : {"stride", "padding", "dilation"}) {
    if (!by_axis(node, name, kind.axes)) return fmt::format("its {} is not a constant number for each axis", name);
  }
  if (!known(node, "groups").isInt()) return "its groups are not a constant";
  if (!kind.transposed) return std::nullopt;
  const auto output_padding = by_axis(node, "output_padding", kind.axes);
  const auto is_zero = [](std::int64_t number) { return number == 0; };
  if (!output_padding || !std::all_of(output_padding->begin(), output_padding->end(), is_zero))
    return "oneDNN's transposed convolutions have no output padding in int8";
  return std::nullopt;
}

std::optional<std::string> unusable_activation(const TensorGrid& grid, const char* what) {
  if (grid.bits != 8 && !grid.is_sign) return fmt::format("its {} has {} bits", what, grid.bits);
  if (!is_byte_grid(grid)) return fmt::format("its {} has a scale for each channel", what);
  return std::nullopt;
}

/// Fewer bits than 8 are levels of int8 too.
std::optional<std::string> unusable_weight(const TensorGrid& grid, const LayerKind& kind) {
  if (grid.bits > 8) return fmt::format("its weight has {} bits", grid.bits);
  if (!grid.grid) {
    const bool any = grid.weight.ne(0).any().item<bool>();
    return any ? std::optional<std::string>("the levels of its weight are no multiples of a scale") : std::nullopt;
  }
  const QuantLevels& levels = grid.grid->levels;
  if (levels.max - levels.min > 255)
    return fmt::format("the levels of its weight are multiples of a scale from {} to {}, which int8 does not hold",
                       levels.min, levels.max);
  if (kind.transposed && grid.grid->scale.size() > 1)
    return "its weight has a scale for each channel, of which a transposed convolution takes one only";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> obstacle(const FrozenGraph& graph, const Node* node) {
  const FrozenWeight& weight = *graph.weight(argument(node, "weight"));
  if (weight.grid == nullptr) return "its weight is not quantized";
  if (const auto reason = unusable_weight(*weight.grid, *layer_kind(node))) return reason;
  if (const TensorGrid* input = graph.grid(node->input(0)->node())) {
    if (const auto reason = unusable_activation(*input, "input")) return reason;
  }
  for (const auto& use : node->output()->uses()) {
    const TensorGrid* output = graph.grid(use.user);
    if (output == nullptr || output->layer != weight.layer || output->place != TapPlace::Output) continue;
    if (const auto reason = unusable_activation(*output, "output")) return reason;
  }
  return unsupported_arguments(node);
}

}  // namespace lathe::compression
