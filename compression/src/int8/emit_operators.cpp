// What stands between layers: additions, concatenations, pools and what moves values.
#include <algorithm>
#include <set>
#include <string_view>

#include "graph/schema.hpp"
#include "int8/emitter.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Node;
using torch::jit::Value;

bool is(const Node* node, std::string_view kind) {
  return node->kind().toQualString() == kind;
}

/// Cuts values off, on whatever grid they are.
bool is_clamp(const Node* node) {
  return is(node, "aten::relu") || is(node, "aten::relu6") || is(node, "aten::hardtanh");
}

/// A mean over height and width; whether they stay as sizes of 1.
std::optional<bool> global_mean(const Node* node, const Sizes& sizes) {
  if (!is(node, "aten::mean") || argument(node, "dim") == nullptr) return std::nullopt;
  const c10::IValue dims = constant_value(argument(node, "dim"));
  const c10::IValue keep = constant_value(argument(node, "keepdim"));
  const auto found = sizes.find(node->input(0));
  if (!dims.isIntList() || !keep.isBool() || found == sizes.end() || found->second.size() != 4) return std::nullopt;
  std::set<std::int64_t> axes;
  for (const std::int64_t axis : dims.toIntVector()) axes.insert(axis < 0 ? axis + 4 : axis);
  if (axes != std::set<std::int64_t>{2, 3}) return std::nullopt;
  return keep.toBool();
}

/// Below half the step an average would lose what its reader can tell apart.
bool is_finer(const ByteGrid& wanted, const ByteGrid& given) {
  return wanted.scale < given.scale / 2;
}

}  // namespace

std::string Emitter::why_float(const Node* node) const {
  const bool has_kernel = is_addition(node) || is(node, "aten::cat") || is(node, "aten::avg_pool2d") ||
                          is(node, "aten::adaptive_avg_pool2d") || global_mean(node, sizes_) || is_clamp(node) ||
                          keeps_grid(node);
  return has_kernel ? "what it reads is float" : "no int8 kernel is used for it";
}

bool Emitter::emit_addition(Node* node) {
  if (!is_addition(node)) return false;
  Value* left = node->input(0);
  Value* right = node->input(1);
  if (!has_bytes(left) || !has_bytes(right)) return false;
  const auto left_sizes = sizes_.find(left);
  const auto right_sizes = sizes_.find(right);
  if (left_sizes == sizes_.end() || right_sizes == sizes_.end() || left_sizes->second != right_sizes->second)
    return false;
  const Fusion fusion = fuse(frozen_, node);
  const auto grid = grid_for(fusion);
  if (!grid) return false;
  Value* made = create(fusion.relu ? "quantized::add_relu" : "quantized::add",
                       {bytes(left), bytes(right), constant(grid->scale), constant(grid->zero_point)});
  give_bytes(fusion.result, made, *grid);
  covered_.insert(fusion.inner.begin(), fusion.inner.end());
  return true;
}

bool Emitter::emit_concatenation(Node* node) {
  if (!is(node, "aten::cat") || node->input(0)->node()->kind() != c10::prim::ListConstruct) return false;
  const auto parts = node->input(0)->node()->inputs();
  const auto has = [&](const Value* part) { return has_bytes(part); };
  if (parts.empty() || !std::all_of(parts.begin(), parts.end(), has)) return false;
  std::vector<Value*> inputs;
  std::vector<ByteGrid> grids;
  for (Value* part : parts) {
    inputs.push_back(bytes(part));
    grids.push_back(grid_of(part));
  }
  const TensorGrid* given = grid_after(frozen_, node->output());
  const ByteGrid grid = given != nullptr ? *byte_grid(*given->grid, reduced_) : union_of(grids, reduced_);
  Node* list = result_.graph->insertNode(result_.graph->createList(c10::TensorType::get(), inputs));
  Value* made = create("quantized::cat",
                       {list->output(), plain(node->input(1)), constant(grid.scale), constant(grid.zero_point)});
  give_bytes(node->output(), made, grid);
  return true;
}

bool Emitter::emit_average(Node* node) {
  const auto keeps_sizes = global_mean(node, sizes_);
  const bool pool = is(node, "aten::avg_pool2d") || is(node, "aten::adaptive_avg_pool2d");
  if ((!pool && !keeps_sizes) || !has_bytes(node->input(0))) return false;
  const ByteGrid grid = grid_of(node->input(0));
  if (const TensorGrid* wanted = grid_after(frozen_, node->output());
      wanted != nullptr && is_finer(*byte_grid(*wanted->grid, reduced_), grid)) {
    emit_float(node, "its result is wanted on a finer grid than that of what it averages");
    return true;
  }
  if (pool) {
    std::vector<Value*> inputs{bytes(node->input(0))};
    for (std::size_t i = 1; i < node->inputs().size(); ++i) inputs.push_back(plain(node->input(i)));
    give_bytes(node->output(), create(node->kind().toQualString(), inputs), grid);
    return true;
  }
  Value* made = create("aten::adaptive_avg_pool2d", {bytes(node->input(0)), constant(std::vector<std::int64_t>{1, 1})});
  if (!*keeps_sizes) made = create("aten::flatten", {made, constant(1), constant(-1)});
  give_bytes(node->output(), made, grid);
  return true;
}

bool Emitter::emit_grid_keeping(Node* node) {
  if ((!is_clamp(node) && !keeps_grid(node)) || node->outputs().size() != 1) return false;
  Value* input = node->input(0);
  if (is(node, "aten::dropout") || is(node, "aten::detach")) {
    forms_[node->output()] = forms_.at(input);
    return true;
  }
  if (!has_bytes(input)) return false;
  std::vector<Value*> inputs{bytes(input)};
  for (std::size_t i = 1; i < node->inputs().size(); ++i) inputs.push_back(plain(node->input(i)));
  const std::string kind = is_view(node) ? "aten::reshape" : node->kind().toQualString();
  give_bytes(node->output(), create(kind, inputs), grid_of(input));
  return true;
}

}  // namespace lathe::compression
