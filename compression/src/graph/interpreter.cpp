#include "graph/interpreter.hpp"

#include <map>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/operator.h>

namespace lathe::compression {
namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;
namespace prim = c10::prim;
namespace attr = c10::attr;

Values list_construct(const Node* node, const Values& inputs) {
  c10::impl::GenericList list(node->output()->type()->expectRef<c10::ListType>().getElementType());
  for (const auto& input : inputs) list.push_back(input);
  return {std::move(list)};
}

Values tuple_construct(const Node* node, const Values& inputs) {
  const auto type = node->output()->type()->expect<c10::TupleType>();
  if (type->name()) return {c10::ivalue::Tuple::createNamed(inputs, type)};
  return {c10::ivalue::Tuple::create(inputs)};
}

Values dict_construct(const Node* node, const Values& inputs) {
  const auto type = node->output()->type()->expect<c10::DictType>();
  c10::impl::GenericDict dict(type->getKeyType(), type->getValueType());
  for (std::size_t i = 0; i + 1 < inputs.size(); i += 2) dict.insert_or_assign(inputs[i], inputs[i + 1]);
  return {std::move(dict)};
}

Values tuple_unpack(const Node*, const Values& inputs) {
  const auto& elements = inputs.at(0).toTupleRef().elements();
  return Values(elements.begin(), elements.end());
}

Values list_unpack(const Node* node, const Values& inputs) {
  const auto elements = inputs.at(0).toListRef();
  if (elements.size() != node->outputs().size())
    throw std::runtime_error(
        fmt::format("expected {} elements in a list, found {}", node->outputs().size(), elements.size()));
  return Values(elements.begin(), elements.end());
}

Values get_attribute(const Node* node, const Values& inputs) {
  return {inputs.at(0).toObjectRef().getAttr(node->s(attr::name))};
}

Values set_attribute(const Node* node, const Values& inputs) {
  inputs.at(0).toObject()->setAttr(node->s(attr::name), inputs.at(1));
  return {};
}

Values constant(const Node* node, const Values&) {
  if (node->output()->type()->kind() == c10::TypeKind::FunctionType) return {c10::IValue()};
  const auto value = torch::jit::toIValue(node->output());
  if (!value) throw std::runtime_error("a constant has no value");
  return {*value};
}

Values uninitialized(const Node* node, const Values&) {
  return Values(node->outputs().size());
}

Values is_instance(const Node* node, const Values& inputs) {
  const auto type = inputs.at(0).type();
  for (const auto& candidate : node->tys(attr::types))
    if (type->isSubtypeOf(*candidate)) return {true};
  return {false};
}

/// Nodes that are instructions of TorchScript's interpreter and not registered operators.
using Instruction = Values (*)(const Node*, const Values&);
const std::unordered_map<torch::jit::Symbol, Instruction>& instructions() {
  static const std::unordered_map<torch::jit::Symbol, Instruction> table{
      {prim::ListConstruct, list_construct}, {prim::TupleConstruct, tuple_construct},
      {prim::DictConstruct, dict_construct}, {prim::TupleUnpack, tuple_unpack},
      {prim::ListUnpack, list_unpack},       {prim::GetAttr, get_attribute},
      {prim::SetAttr, set_attribute},        {prim::Constant, constant},
      {prim::Uninitialized, uninitialized},  {prim::isinstance, is_instance}};
  return table;
}

Values run_operator(const Node* node, const Values& inputs) {
  const auto* op = node->maybeOperator();
  if (!op) throw std::runtime_error(fmt::format("{} cannot be run on its own", node->kind().toQualString()));
  torch::jit::Stack stack(inputs.begin(), inputs.end());
  if (op->schema().is_vararg()) stack.emplace_back(static_cast<std::int64_t>(inputs.size()));
  op->getOperation(node)(stack);
  return Values(stack.begin(), stack.end());
}

class Interpreter {
 public:
  Interpreter(const FlatGraph& flat, const Observer& observer) : flat_(flat), observer_(observer) {}

  Values run(const Values& inputs) {
    bind(flat_.graph()->inputs(), inputs);
    return run_block(flat_.graph()->block());
  }

 private:
  void bind(at::ArrayRef<const Value*> names, const Values& values) {
    for (std::size_t i = 0; i < names.size(); ++i) values_[names[i]] = values.at(i);
  }
  void bind(at::ArrayRef<Value*> names, const Values& values) {
    for (std::size_t i = 0; i < names.size(); ++i) values_[names[i]] = values.at(i);
  }

  Values fetch(at::ArrayRef<const Value*> names) const {
    Values values;
    for (const Value* name : names) values.push_back(values_.at(name));
    return values;
  }

  Values run_block(const Block* block) {
    for (const Node* node : block->nodes()) run_node(node);
    return fetch(block->outputs());
  }

  void run_node(const Node* node) {
    const Values inputs = fetch(node->inputs());
    if (node->kind() == prim::If)
      return bind(node->outputs(), run_block(node->blocks().at(inputs.at(0).toBool() ? 0 : 1)));
    if (node->kind() == prim::Loop) return bind(node->outputs(), run_loop(node, inputs));
    const auto instruction = instructions().find(node->kind());
    const Values outputs =
        instruction == instructions().end() ? run_operator(node, inputs) : instruction->second(node, inputs);
    bind(node->outputs(), outputs);
    observer_(node, inputs, outputs);
  }

  Values run_loop(const Node* node, const Values& inputs) {
    const std::int64_t most = inputs.at(0).toInt();
    bool go_on = inputs.at(1).toBool();
    Values carried(inputs.begin() + 2, inputs.end());
    const Block* body = node->blocks().at(0);
    for (std::int64_t i = 0; go_on && i < most; ++i) {
      carried.insert(carried.begin(), i);
      bind(body->inputs(), carried);
      carried = run_block(body);
      go_on = carried.at(0).toBool();
      carried.erase(carried.begin());
    }
    return carried;
  }

  const FlatGraph& flat_;
  const Observer& observer_;
  std::unordered_map<const Value*, c10::IValue> values_;
};

}  // namespace

c10::IValue interpret(const FlatGraph& flat, const at::Tensor& input, const Observer& observer) {
  torch::jit::Stack stack{flat.model()._ivalue(), input};
  flat.model().get_method("forward").function().getSchema().checkAndNormalizeInputs(stack, {});
  return Interpreter(flat, observer).run(Values(stack.begin(), stack.end())).at(0);
}

}  // namespace lathe::compression
