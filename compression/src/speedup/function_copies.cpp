#include "speedup/function_copies.hpp"

#include <set>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
#include <torch/csrc/jit/api/function_impl.h>

namespace lathe::compression {
namespace {

using torch::jit::Block;
using torch::jit::Function;
using torch::jit::Node;
namespace prim = c10::prim;

/// TorchScript has no recursion; a file made by hand might.
constexpr int kDeepestCall = 256;

/// Operators whose numbers depend on how many channels there are.
bool takes_sizes(const Node* node) {
  static const std::set<std::string_view> kinds{"aten::view",
                                                "aten::reshape",
                                                "aten::expand",
                                                "aten::unflatten",
                                                "aten::slice",
                                                "aten::narrow",
                                                "aten::select",
                                                "aten::split",
                                                "aten::chunk",
                                                "aten::group_norm",
                                                "aten::split_with_sizes",
                                                "aten::_convolution",
                                                "aten::conv1d",
                                                "aten::conv2d",
                                                "aten::conv3d",
                                                "aten::channel_shuffle",
                                                "aten::zeros",
                                                "aten::pad",
                                                "aten::ones",
                                                "aten::full",
                                                "aten::constant_pad_nd",
                                                "aten::div",
                                                "aten::mul",
                                                "aten::conv_transpose1d",
                                                "aten::conv_transpose2d",
                                                "aten::conv_transpose3d"};
  return kinds.contains(node->kind().toQualString());
}

Function* called(const Node* node) {
  return node->input(0)->type()->expect<c10::FunctionType>()->function();
}

}  // namespace

void FunctionCopies::redirect_calls(Block* block) {
  for (Node* node : block->nodes()) {
    for (Block* inner : node->blocks()) redirect_calls(inner);
    if (node->kind() != prim::CallFunction) continue;
    Function* copy = copy_of(*called(node));
    if (!copy) continue;
    Node* constant = node->owningGraph()->create(prim::Constant);
    constant->s_(c10::attr::name, copy->name());
    constant->output()->setType(c10::FunctionType::create(copy));
    constant->insertBefore(node);
    node->replaceInput(0, constant->output());
  }
}

/// Nullptr: the function is not written in TorchScript.
Function* FunctionCopies::copy_of(Function& function) {
  if (!torch::jit::tryToGraphFunction(function)) return nullptr;
  if (says_sizes(function)) return make_copy(function);
  const auto found = copies_.find(&function);
  if (found != copies_.end()) return found->second;
  Function* copy = make_copy(function);
  copies_.emplace(&function, copy);
  return copy;
}

Function* FunctionCopies::make_copy(Function& function) {
  if (++depth_ > kDeepestCall) throw std::runtime_error(fmt::format("`{}` calls itself", function.name()));
  function.ensure_defined();
  auto graph = torch::jit::toGraphFunction(function).graph()->copy();
  redirect_calls(graph->block());
  Function* copy = unit_->create_function(function.qualname(), graph, /*shouldMangle=*/true);
  copy->setSchema(function.getSchema());
  --depth_;
  return copy;
}

bool FunctionCopies::says_sizes(Function& function) {
  const auto [entry, added] = sized_.try_emplace(&function, false);
  if (!added) return entry->second;
  function.ensure_defined();
  const bool sized = says_sizes(torch::jit::toGraphFunction(function).graph()->block());
  return sized_[&function] = sized;
}

bool FunctionCopies::says_sizes(Block* block) {
  for (Node* node : block->nodes()) {
    if (takes_sizes(node)) return true;
    for (Block* inner : node->blocks())
      if (says_sizes(inner)) return true;
    if (node->kind() != prim::CallFunction) continue;
    Function* function = called(node);
    if (torch::jit::tryToGraphFunction(*function) && says_sizes(*function)) return true;
  }
  return false;
}

}  // namespace lathe::compression
