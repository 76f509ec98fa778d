#include "int8/frozen_graph.hpp"

#include <exception>

#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include "graph/schema.hpp"
#include "int8/freezer.hpp"
#include "int8/simplify.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Node;
using torch::jit::Value;

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// Tells the passes ranks and types, without sizes: those depend on the batch.
void note_ranks(const FrozenGraph& frozen, const at::Tensor& example) {
  std::vector<Value*> values;
  for (Node* node : frozen.graph()->nodes()) {
    for (Value* output : node->outputs()) {
      if (output->type()->kind() == c10::TypeKind::TensorType && node->kind() != c10::prim::Constant)
        values.push_back(output);
    }
  }
  const auto found = frozen.run(example, values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!found[i].isTensor() || !found[i].toTensor().defined()) continue;
    const at::Tensor& tensor = found[i].toTensor();
    values[i]->setType(
        c10::TensorType::get()->withScalarType(tensor.scalar_type())->withDim(static_cast<std::size_t>(tensor.dim())));
  }
  auto* input = frozen.graph()->inputs().at(0);
  input->setType(
      c10::TensorType::get()->withScalarType(example.scalar_type())->withDim(static_cast<std::size_t>(example.dim())));
}

}  // namespace

c10::Symbol place_attribute() {
  static const c10::Symbol name = c10::Symbol::attr("lathe_place");
  return name;
}

c10::Symbol grid_attribute() {
  static const c10::Symbol name = c10::Symbol::attr("lathe_grid");
  return name;
}

Result<FrozenGraph> FrozenGraph::of(const FlatGraph& tapped, const std::vector<TensorGrid>& grids,
                                    const at::Tensor& example) {
  try {
    FrozenGraph frozen = Freezer(tapped, grids).run();
    fold_constants(frozen.graph_);
    if (auto closed = close_over_inputs(frozen.graph_); !closed) return tl::unexpected(closed.error());
    note_ranks(frozen, example);
    simplify(frozen.graph_);
    if (const Node* node = find_mutation(frozen.graph_->block()); node != nullptr) {
      return fail(
          fmt::format("{} changes a tensor in place, which an int8 model cannot follow", frozen.describe(node)));
    }
    return frozen;
  } catch (const c10::Error& error) {
    return fail(fmt::format("the model cannot be frozen: {}", first_line(error.what_without_backtrace())));
  } catch (const std::exception& error) {
    return fail(fmt::format("the model cannot be frozen: {}", first_line(error.what())));
  }
}

const FrozenWeight* FrozenGraph::weight(const Value* value) const {
  const auto constant = torch::jit::toIValue(value);
  if (!constant || !constant->isTensor()) return nullptr;
  const auto found = weights_.find(constant->toTensor().unsafeGetTensorImpl());
  return found == weights_.end() ? nullptr : &found->second;
}

const TensorGrid* FrozenGraph::grid(const Node* node) const {
  if (!node->hasAttribute(grid_attribute())) return nullptr;
  return &grids_->at(static_cast<std::size_t>(node->i(grid_attribute())));
}

std::string FrozenGraph::describe(const Node* node) const {
  return node->hasAttribute(place_attribute()) ? node->s(place_attribute()) : node->kind().toQualString();
}

std::vector<c10::IValue> FrozenGraph::run(const at::Tensor& input, const std::vector<Value*>& values) const {
  const std::size_t own = graph_->outputs().size();
  for (Value* value : values) graph_->registerOutput(value);
  const torch::jit::Code code(graph_, "frozen");
  for (std::size_t i = graph_->outputs().size(); i > own; --i) graph_->eraseOutput(i - 1);
  torch::jit::Stack stack{input};
  torch::jit::InterpreterState(code).run(stack);
  stack.erase(stack.begin(), stack.begin() + static_cast<std::ptrdiff_t>(own));
  return stack;
}

}  // namespace lathe::compression
