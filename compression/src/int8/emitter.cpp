#include "int8/emitter.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>

#include "graph/schema.hpp"

namespace lathe::compression {
namespace {

namespace prim = c10::prim;
using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;

bool is_tensor(const Value* value) {
  return value->type()->kind() == c10::TypeKind::TensorType;
}

bool is_constant(const Value* value) {
  return value->node()->kind() == prim::Constant;
}

/// Reads a tensor's shape and not its values.
bool looks_at_shape(const Node* node) {
  static const std::set<std::string_view> kinds{"aten::size", "aten::dim", "aten::len", "prim::device", "aten::numel"};
  return kinds.contains(node->kind().toQualString());
}

/// Written where it is first needed.
bool is_lazy(const Node* node) {
  return node->kind() == prim::Constant || node->kind() == prim::ListConstruct;
}

/// Computes with activations.
bool computes(const Node* node) {
  const auto is_activation = [](const Value* value) {
    const bool list = value->node()->kind() == prim::ListConstruct;
    if (list) return std::any_of(value->node()->inputs().begin(), value->node()->inputs().end(), is_tensor);
    return is_tensor(value) && !is_constant(value);
  };
  return std::any_of(node->inputs().begin(), node->inputs().end(), is_activation) &&
         std::any_of(node->outputs().begin(), node->outputs().end(), [](const Value* v) { return is_tensor(v); });
}

/// Values of outer blocks that the node's own blocks need as they are.
void captured(const Block* block, const Block* outermost, std::set<Value*>& values) {
  for (const Node* node : block->nodes()) {
    for (Value* input : const_cast<Node*>(node)->inputs())  // NOLINT(cppcoreguidelines-pro-type-const-cast)
      if (input->node()->owningBlock() == outermost) values.insert(input);
    for (const Block* inner : node->blocks()) captured(inner, outermost, values);
  }
  for (Value* output : const_cast<Block*>(block)->outputs())  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    if (output->node()->owningBlock() == outermost) values.insert(output);
}

}  // namespace

Emitter::Emitter(const FrozenGraph& frozen, const Ranges& ranges, const Sizes& sizes, std::set<const Node*> left_float,
                 bool reduced)
    : frozen_(frozen), ranges_(ranges), sizes_(sizes), left_float_(std::move(left_float)), reduced_(reduced) {
  result_.graph = std::make_shared<torch::jit::Graph>();
}

Result<EmittedGraph> Emitter::run() {
  self_ = result_.graph->addInput("self");
  for (Value* input : frozen_.graph()->inputs()) {
    forms_[input].plain = result_.graph->addInput("input");
  }
  for (Node* node : frozen_.graph()->nodes()) {
    if (auto done = emit(node); !done) return tl::unexpected(done.error());
  }
  for (Value* output : frozen_.graph()->outputs()) result_.graph->registerOutput(plain(output));
  return std::move(result_);
}

Result<void> Emitter::emit(Node* node) {
  if (is_lazy(node) || covered_.contains(node)) return {};
  if (frozen_.grid(node) != nullptr) {
    emit_grid(node);
    return {};
  }
  if (is_layer(frozen_, node)) return emit_layer(node);
  if (emit_addition(node) || emit_concatenation(node) || emit_average(node) || emit_grid_keeping(node)) return {};
  emit_float(node, why_float(node));
  return {};
}

/// An activation has one grid: what has bytes keeps them.
void Emitter::emit_grid(Node* node) {
  const TensorGrid& grid = *frozen_.grid(node);
  Value* value = node->input(0);
  if (has_bytes(value) && is_byte_grid(grid)) {
    forms_[node->output()] = forms_.at(value);
    return;
  }
  Forms& forms = forms_[node->output()];
  if (is_byte_grid(grid)) forms.grid = byte_grid(*grid.grid, reduced_);
  if (forms.grid && !grid.is_sign) {  // a sign has to be computed before it is quantized
    forms.simulated = node;
  } else {
    forms.plain = clone(node)->output();
  }
}

void Emitter::emit_float(Node* node, const std::string& reason) {
  if (is_view(node)) {  // of memory that a kernel may have left channels last
    forms_[node->output()].plain = create("aten::reshape", {plain(node->input(0)), plain(node->input(1))});
    return;
  }
  if (computes(node) && !looks_at_shape(node)) note_float(node, reason);
  Node* copy = clone(node);
  for (std::size_t i = 0; i < node->outputs().size(); ++i) forms_[node->outputs()[i]].plain = copy->outputs()[i];
}

torch::jit::Value* Emitter::simulated_input(const Forms& forms) {
  return const_cast<Node*>(forms.simulated)->input(0);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

torch::jit::Value* Emitter::plain(Value* value) {
  Forms& forms = forms_[value];
  if (forms.plain != nullptr) return forms.plain;
  if (forms.bytes != nullptr) return forms.plain = create("aten::dequantize", {forms.bytes});
  Node* node = forms.simulated != nullptr ? const_cast<Node*>(forms.simulated)  // NOLINT
                                          : value->node();
  Value* made = clone(node)->output();
  return forms_[value].plain = made;
}

torch::jit::Value* Emitter::bytes(Value* value) {
  if (forms_[value].bytes != nullptr) return forms_[value].bytes;
  Value* source = forms_[value].simulated != nullptr ? plain(simulated_input(forms_[value])) : plain(value);
  const ByteGrid grid = *forms_[value].grid;
  Value* made = create("aten::quantize_per_tensor", {source, constant(grid.scale), constant(grid.zero_point),
                                                     constant(static_cast<std::int64_t>(at::kQUInt8))});
  return forms_[value].bytes = made;
}

torch::jit::Value* Emitter::any(Value* value) {
  const Forms& forms = forms_[value];
  if (forms.plain == nullptr && forms.bytes != nullptr) return forms.bytes;
  if (forms.plain == nullptr && forms.simulated != nullptr) return any(simulated_input(forms));
  return plain(value);
}

bool Emitter::has_bytes(const Value* value) const {
  const auto found = forms_.find(value);
  return found != forms_.end() && found->second.bytes != nullptr;
}

void Emitter::give_bytes(const Value* value, Value* bytes, const ByteGrid& grid) {
  forms_[value] = Forms{nullptr, bytes, grid, nullptr};
}

std::optional<ByteGrid> Emitter::observed(const Value* value) {
  const auto found = ranges_.find(value);
  if (found == ranges_.end()) return std::nullopt;
  observed_.insert(value);
  result_.observed_ranges = static_cast<std::int64_t>(observed_.size());
  return byte_grid(found->second, reduced_);
}

std::optional<ByteGrid> Emitter::grid_for(const Fusion& fusion) {
  const TensorGrid* given = grid_after(frozen_, fusion.result);
  if (given == nullptr) given = fusion.inner_grid;
  const auto grid = given != nullptr ? byte_grid(*given->grid, reduced_) : observed(fusion.result);
  return grid && fusion.relu ? without_negatives(*grid, fusion.most) : grid;
}

torch::jit::Node* Emitter::clone(Node* node) {
  std::set<Value*> needed;
  for (const Block* block : node->blocks()) captured(block, node->owningBlock(), needed);
  for (Value* value : needed) (void)plain(value);
  const bool shape_only = looks_at_shape(node);
  for (Value* input : node->inputs()) (void)(shape_only ? any(input) : plain(input));
  Node* copy = result_.graph->createClone(
      node, [&](Value* value) { return shape_only ? any(value) : plain(value); }, /*copy_blocks=*/true);
  result_.graph->insertNode(copy);
  for (Value* output : copy->outputs()) {
    if (is_tensor(output)) output->setType(c10::TensorType::get());
  }
  const auto strip = [](const auto& self, Node* each) -> void {
    for (const c10::Symbol name : {place_attribute(), grid_attribute()}) {
      if (each->hasAttribute(name)) each->removeAttribute(name);
    }
    for (Block* block : each->blocks())
      for (Node* inner : block->nodes()) self(self, inner);
  };
  strip(strip, copy);
  return copy;
}

torch::jit::Value* Emitter::create(const std::string& kind, const std::vector<Value*>& inputs) {
  Node* node = result_.graph->insertNode(result_.graph->create(c10::Symbol::fromQualString(kind), inputs));
  return node->output();
}

torch::jit::Value* Emitter::constant(const c10::IValue& value) {
  return result_.graph->insertConstant(value);
}

void Emitter::note_float(const Node* node, const std::string& reason) {
  result_.operators.push_back({frozen_.describe(node), "", false, reason});
}

}  // namespace lathe::compression
