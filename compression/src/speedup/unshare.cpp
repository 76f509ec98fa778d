#include "speedup/unshare.hpp"

#include <memory>
#include <stdexcept>
#include <unordered_map>

#include <fmt/format.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/ir.h>

#include "speedup/function_copies.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Module;
namespace prim = c10::prim;

class Unsharer {
 public:
  Module copy(const Module& source) {
    const auto* key = source._ivalue().get();
    if (const auto found = done_.find(key); found != done_.end()) return found->second;
    Module module(*source.type()->name(), unit_, /*shouldMangle=*/true);
    done_.emplace(key, module);
    copy_attributes(source, module);
    copy_constants(*source.type(), *module.type());
    for (torch::jit::Function* method : source.type()->methods()) copy_method(*method, module);
    return module;
  }

 private:
  void copy_attributes(const Module& source, Module& module) {
    const auto& type = *source.type();
    for (std::size_t slot = 0; slot < type.numAttributes(); ++slot) {
      const auto& name = type.getAttributeName(slot);
      const auto value = source._ivalue()->getSlot(slot);
      if (value.isModule()) {
        module.register_module(name, copy(value.toModule()));
        continue;
      }
      const auto added =
          module.type()->addAttribute(name, type.getAttribute(slot), type.is_parameter(slot), type.is_buffer(slot));
      module._ivalue()->setSlot(added, value);
    }
  }

  static void copy_constants(const c10::ClassType& source, c10::ClassType& type) {
    for (std::size_t slot = 0; slot < source.numConstants(); ++slot)
      type.addConstant(source.getConstantName(slot), source.getConstant(slot));
  }

  void copy_method(torch::jit::Function& method, Module& module) {
    method.ensure_defined();
    const auto* source = torch::jit::tryToGraphFunction(method);
    if (!source) throw std::runtime_error(fmt::format("method `{}` is not written in TorchScript", method.name()));
    auto graph = source->graph()->copy();
    graph->inputs().at(0)->setType(module.type());
    retype(graph->block());
    functions_.redirect_calls(graph->block());
    auto* copied = unit_->create_function(c10::QualifiedName(*module.type()->name(), method.name()), graph);
    copied->setSchema(with_self(method.getSchema(), module.type()));
    module.type()->addMethod(copied);
  }

  static c10::FunctionSchema with_self(const c10::FunctionSchema& schema, const c10::TypePtr& self) {
    auto arguments = schema.arguments();
    arguments.at(0) = arguments[0].cloneWithType(self);
    return schema.cloneWithArguments(std::move(arguments));
  }

  /// Submodules that a method reads have the new classes.
  static void retype(torch::jit::Block* block) {
    for (torch::jit::Node* node : block->nodes()) {
      for (torch::jit::Block* inner : node->blocks()) retype(inner);
      if (node->kind() != prim::GetAttr) continue;
      const auto owner = node->input()->type()->cast<c10::ClassType>();
      if (owner) node->output()->setType(owner->getAttribute(node->s(c10::attr::name)));
    }
  }

  std::shared_ptr<torch::jit::CompilationUnit> unit_ = std::make_shared<torch::jit::CompilationUnit>();
  FunctionCopies functions_{unit_};
  std::unordered_map<const c10::ivalue::Object*, Module> done_;
};

bool uses_other_classes(const torch::jit::Block* block) {
  for (const torch::jit::Node* node : block->nodes()) {
    for (const torch::jit::Block* inner : node->blocks())
      if (uses_other_classes(inner)) return true;
    if (node->kind() == prim::CreateObject) return true;
    if (node->kind() != prim::CallMethod) continue;
    const auto type = node->input(0)->type()->cast<c10::ClassType>();
    if (!type || !type->is_module()) return true;
  }
  return false;
}

}  // namespace

Module unshare(const Module& model) {
  return Unsharer().copy(model);
}

bool uses_other_classes(const Module& model) {
  for (const Module& module : model.modules())
    for (torch::jit::Function* method : module.type()->methods())
      if (const auto* function = torch::jit::tryToGraphFunction(*method);
          function && uses_other_classes(function->graph()->block()))
        return true;
  return false;
}

}  // namespace lathe::compression
