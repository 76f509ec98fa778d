#include "graph/inliner.hpp"

#include <stdexcept>

#include <fmt/format.h>
#include <torch/csrc/jit/api/function_impl.h>

namespace lathe::compression {
namespace {

namespace prim = c10::prim;
namespace attr = c10::attr;

/// TorchScript has no recursion; a file made by hand might.
constexpr int kDeepestCall = 256;

std::string join(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

void refuse_hooks(const c10::ClassType& type) {
  if (!type.getForwardHooks().empty() || !type.getForwardPreHooks().empty())
    throw std::runtime_error(fmt::format("class {} has forward hooks, which are not supported", type.name()->name()));
}

bool is_tensor(const torch::jit::Value* value) {
  return value->type()->isSubtypeOf(*c10::TensorType::get());
}

torch::jit::Value* at(const std::unordered_map<torch::jit::Value*, torch::jit::Value*>& values,
                      torch::jit::Value* key) {
  return values.at(key);
}

}  // namespace

c10::Symbol tap_kind() {
  static const c10::Symbol kind = c10::Symbol::fromQualString("lathe::tap");
  return kind;
}

Inliner::Inliner(const torch::jit::Module& model, Taps taps) : taps_(taps) {
  flat_.model_ = model;
  flat_.graph_ = std::make_shared<torch::jit::Graph>();
}

FlatGraph Inliner::run() {
  const auto forward = flat_.model_.find_method("forward");
  if (!forward) throw std::runtime_error("the model has no method `forward`");
  refuse_hooks(*flat_.model_.type());
  const auto source = torch::jit::toGraphFunction(forward->function()).graph();
  ValueMap values;
  for (Value* input : source->inputs()) {
    Value* copy = flat_.graph_->addInput();
    copy->copyMetadata(input);
    values[input] = copy;
  }
  flat_.paths_[flat_.graph_->inputs().at(0)] = "";
  for (Value* output : copy_block(source->block(), flat_.graph_->block(), values, ""))
    flat_.graph_->registerOutput(output);
  return std::move(flat_);
}

std::vector<torch::jit::Value*> Inliner::copy_block(Block* source, Block* target, ValueMap& values,
                                                    const std::string& module) {
  for (Node* node : source->nodes()) copy_node(node, target, values, module);
  std::vector<Value*> outputs;
  for (Value* output : source->outputs()) outputs.push_back(at(values, output));
  return outputs;
}

void Inliner::copy_node(Node* node, Block* target, ValueMap& values, const std::string& module) {
  switch (node->kind()) {
    case prim::CallMethod:
      return inline_method(node, target, values, module);
    case prim::CallFunction:
      return inline_function(node, target, values, module);
    default:
      return copy_plain(node, target, values, module);
  }
}

void Inliner::copy_plain(Node* node, Block* target, ValueMap& values, const std::string& module) {
  Node* copy = target->appendNode(flat_.graph_->createClone(
      node, [&](Value* value) { return at(values, value); }, /*copy_blocks=*/false));
  flat_.origins_[copy] = {node, module};
  for (std::size_t i = 0; i < node->outputs().size(); ++i) values[node->outputs()[i]] = copy->outputs()[i];
  for (Block* source : node->blocks()) {
    Block* inner = copy->addBlock();
    for (Value* input : source->inputs()) values[input] = inner->addInput()->copyMetadata(input);
    for (Value* output : copy_block(source, inner, values, module)) inner->registerOutput(output);
  }
  if (node->kind() != prim::GetAttr) return;
  note_path(node, copy->output(), copy->input());
  values[node->output()] = tap_parameter(node, copy->output(), target);
}

void Inliner::note_path(Node* node, Value* copy, const Value* object) {
  const auto found = flat_.paths_.find(object);
  if (found != flat_.paths_.end()) flat_.paths_[copy] = join(found->second, node->s(attr::name));
}

void Inliner::inline_method(Node* node, Block* target, ValueMap& values, const std::string& module) {
  std::vector<Value*> arguments;
  for (Value* input : node->inputs()) arguments.push_back(at(values, input));
  const std::string name = node->s(attr::name);
  const auto type = node->input(0)->type()->cast<c10::ClassType>();
  if (!type)
    throw std::runtime_error(fmt::format("a call of `{}` on {} depends on the run and cannot be followed", name,
                                         node->input(0)->type()->repr_str()));
  refuse_hooks(*type);
  const auto path = flat_.paths_.find(arguments[0]);
  const bool is_layer = name == "forward" && path != flat_.paths_.end() && !path->second.empty();
  const std::string callee = path == flat_.paths_.end() ? module : path->second;
  if (!is_layer) return inline_call(type->getMethod(name), arguments, node, target, values, callee);

  LayerCall call{callee, type->name()->name()};
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (!is_tensor(arguments[i])) continue;
    if (call.input == nullptr) call.input = arguments[i];
    arguments[i] = tap(arguments[i], target, callee, TapPlace::Input);
  }
  const std::size_t place = flat_.calls_.size();
  flat_.calls_.push_back(call);
  inline_call(type->getMethod(name), arguments, node, target, values, callee);
  if (node->outputs().size() != 1 || !is_tensor(values.at(node->output()))) return;
  values[node->output()] = tap(values.at(node->output()), target, callee, TapPlace::Output);
  flat_.calls_[place].output = values.at(node->output());
}

torch::jit::Value* Inliner::tap(Value* value, Block* target, const std::string& layer, TapPlace place) {
  if (taps_ == Taps::None) return value;
  Node* node = target->appendNode(flat_.graph_->create(tap_kind(), {value}));
  node->output()->copyMetadata(value);
  flat_.taps_[node] = {layer, place};
  return node->output();
}

torch::jit::Value* Inliner::tap_parameter(Node* node, Value* copy, Block* target) {
  const auto owner = flat_.paths_.find(copy->node()->input());
  const std::string& name = node->s(attr::name);
  if (owner == flat_.paths_.end() || !is_tensor(copy) || (name != "weight" && name != "bias")) return copy;
  Value* tapped = tap(copy, target, owner->second, name == "weight" ? TapPlace::Weight : TapPlace::Bias);
  flat_.paths_[tapped] = flat_.paths_.at(copy);
  return tapped;
}

void Inliner::inline_function(Node* node, Block* target, ValueMap& values, const std::string& module) {
  std::vector<Value*> arguments;
  for (std::size_t i = 1; i < node->inputs().size(); ++i) arguments.push_back(at(values, node->input(i)));
  inline_call(*node->input(0)->type()->expect<c10::FunctionType>()->function(), arguments, node, target, values,
              module);
}

void Inliner::inline_call(torch::jit::Function& callee, const std::vector<Value*>& arguments, Node* node, Block* target,
                          ValueMap& values, const std::string& module) {
  callee.ensure_defined();
  const auto* function = torch::jit::tryToGraphFunction(callee);
  if (!function) throw std::runtime_error(fmt::format("`{}` is not written in TorchScript", callee.name()));
  if (++depth_ > kDeepestCall) throw std::runtime_error(fmt::format("`{}` calls itself", callee.name()));
  const auto source = function->graph();
  ValueMap inner;
  for (std::size_t i = 0; i < arguments.size(); ++i) inner[source->inputs().at(i)] = arguments[i];
  const auto outputs = copy_block(source->block(), target, inner, module);
  for (std::size_t i = 0; i < outputs.size(); ++i) values[node->outputs().at(i)] = outputs[i];
  --depth_;
}

}  // namespace lathe::compression
