#include "int8/simplify.hpp"

#include <fmt/format.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/peephole.h>
#include <torch/csrc/jit/passes/remove_mutation.h>

namespace lathe::compression {

using torch::jit::Block;
using torch::jit::Node;

void fold_constants(std::shared_ptr<torch::jit::Graph>& graph) {
  torch::jit::ConstantPropagation(graph);
  torch::jit::EliminateDeadCode(graph);
}

Result<void> close_over_inputs(const std::shared_ptr<torch::jit::Graph>& graph) {
  if (!graph->inputs().at(0)->uses().empty()) {
    const Node* user = graph->inputs()[0]->uses().front().user;
    return fail(fmt::format("forward uses the module itself while it runs ({})", user->kind().toQualString()));
  }
  graph->eraseInput(0);
  return {};
}

void simplify(std::shared_ptr<torch::jit::Graph>& graph) {
  torch::jit::PeepholeOptimize(graph);
  fold_constants(graph);
  torch::jit::RemoveTensorMutation(graph);
  torch::jit::PeepholeOptimize(graph);
  fold_constants(graph);
}

const Node* find_mutation(const Block* block) {
  for (const Node* node : block->nodes()) {
    for (const Block* inner : node->blocks()) {
      if (const Node* found = find_mutation(inner)) return found;
    }
    const auto* schema = node->maybeSchema();
    if (schema == nullptr) continue;
    for (const auto& argument : schema->arguments()) {
      const auto* alias = argument.alias_info();
      const bool is_tensor = argument.type()->kind() == c10::TypeKind::TensorType;
      if (is_tensor && alias != nullptr && alias->isWrite()) return node;
    }
  }
  return nullptr;
}

}  // namespace lathe::compression
