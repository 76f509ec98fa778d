#include "int8/patterns.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <torch/csrc/jit/ir/constants.h>

#include "graph/schema.hpp"
#include "int8/layer_arguments.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Node;
using torch::jit::Value;

bool is(const Node* node, std::string_view kind) {
  return node->kind().toQualString() == kind;
}

bool is_tensor(const Value* value) {
  return value->type()->kind() == c10::TypeKind::TensorType;
}

bool is_constant(const Value* value) {
  return value->node()->kind() == c10::prim::Constant;
}

/// In the outermost block; what happens in branches and loops stays float.
Node* only_user(const Value* value) {
  if (value->uses().size() != 1) return nullptr;
  Node* user = value->uses().front().user;
  const bool outermost = user->owningBlock() == user->owningGraph()->block();
  return outermost && user->kind() != c10::prim::Return ? user : nullptr;
}

std::optional<double> number(const Node* node, const char* name) {
  const Value* value = argument(node, name);
  const c10::IValue constant = value != nullptr ? constant_value(value) : c10::IValue();
  if (!constant.isScalar()) return std::nullopt;
  return constant.toScalar().toDouble();
}

/// What a ReLU cuts off above; nothing: it is no ReLU.
struct Cut {
  std::optional<double> most;
};

std::optional<Cut> relu_cut(const Node* node) {
  if (is(node, "aten::relu")) return Cut{};
  if (is(node, "aten::relu6")) return Cut{6};
  if (is(node, "aten::hardtanh") && number(node, "min_val") == 0.0 && number(node, "max_val").value_or(0) > 0)
    return Cut{number(node, "max_val")};
  return std::nullopt;
}

bool folds(const Node* node) {
  if (!is(node, "aten::batch_norm")) return false;
  for (const char* name : {"weight", "bias", "running_mean", "running_var", "training", "eps"}) {
    const Value* value = argument(node, name);
    if (value == nullptr || !is_constant(value)) return false;
  }
  const c10::IValue training = constant_value(argument(node, "training"));
  return training.isBool() && !training.toBool() && constant_value(argument(node, "running_mean")).isTensor() &&
         constant_value(argument(node, "running_var")).isTensor() && number(node, "eps").has_value();
}

/// Not those of a transposed one: its weight has one scale, and the factors are one a filter.
bool folds_into(const Node* node) {
  const auto kind = layer_kind(node);
  return kind && !kind->is_linear() && !kind->transposed;
}

}  // namespace

bool is_layer(const FrozenGraph& graph, const Node* node) {
  const auto kind = layer_kind(node);
  const Value* weight = kind ? argument(node, "weight") : nullptr;
  const FrozenWeight* found = weight == nullptr ? nullptr : graph.weight(weight);
  return found != nullptr && found->values.dim() == static_cast<std::int64_t>(kind->axes) + 2;
}

bool is_addition(const Node* node) {
  if (!is(node, "aten::add")) return false;
  for (const std::size_t i : {0, 1}) {
    if (!is_tensor(node->input(i)) || is_constant(node->input(i))) return false;
  }
  return number(node, "alpha") == 1.0;
}

Fusion fuse(const FrozenGraph& graph, const Node* node) {
  Fusion fusion;
  fusion.node = node;
  fusion.result = const_cast<Node*>(node)->output();  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  const bool takes_batch_norm = folds_into(node);
  std::vector<const Node*> pending;  // grids that count when something fused stands behind them
  const TensorGrid* pending_grid = nullptr;
  Value* value = fusion.result;
  while (Node* user = only_user(value)) {
    if (const TensorGrid* grid = graph.grid(user); grid != nullptr && is_byte_grid(*grid)) {
      pending.push_back(user);
      pending_grid = grid;
      value = user->output();
      continue;
    }
    const auto cut = relu_cut(user);
    if (!cut && (!takes_batch_norm || fusion.batch_norm != nullptr || !folds(user))) break;
    fusion.inner.insert(fusion.inner.end(), pending.begin(), pending.end());
    fusion.inner.push_back(user);
    if (pending_grid != nullptr) fusion.inner_grid = pending_grid;
    pending.clear();
    fusion.result = value = user->output();
    if (cut) {
      fusion.relu = true;
      fusion.most = cut->most;
      break;
    }
    // A grid in front of a batch normalisation is one of other values.
    fusion.batch_norm = user;
    fusion.inner_grid = pending_grid = nullptr;
  }
  return fusion;
}

bool keeps_grid(const Node* node) {
  static const std::set<std::string_view> kinds{
      "aten::max_pool1d", "aten::max_pool2d", "aten::flatten",   "aten::view",    "aten::reshape",   "aten::permute",
      "aten::transpose",  "aten::contiguous", "aten::unsqueeze", "aten::squeeze", "aten::unflatten", "aten::slice",
      "aten::select",     "aten::dropout",    "aten::narrow",    "aten::detach"};
  if (!kinds.contains(node->kind().toQualString())) return false;
  if (!is_tensor(node->input(0)) || is_constant(node->input(0))) return false;
  if (is(node, "aten::view")) return is_view(node);
  const Value* train = argument(node, "train");
  return train == nullptr || (constant_value(train).isBool() && !constant_value(train).toBool());
}

bool is_view(const Node* node) {
  return is(node, "aten::view") && argument(node, "size") != nullptr;  // the other overload is of types
}

const TensorGrid* grid_after(const FrozenGraph& graph, const Value* value) {
  for (const auto& use : value->uses()) {
    const TensorGrid* grid = graph.grid(use.user);
    if (grid != nullptr && is_byte_grid(*grid)) return grid;
    if (use.offset != 0 || !keeps_grid(use.user)) continue;
    if (const TensorGrid* behind = grid_after(graph, use.user->output())) return behind;
  }
  return nullptr;
}

bool is_byte_grid(const TensorGrid& grid) {
  return (grid.bits == 8 || grid.is_sign) && grid.grid && grid.grid->scale.size() == 1;
}

}  // namespace lathe::compression
