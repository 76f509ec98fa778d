#include "graph/instructions.hpp"

#include <stdexcept>
#include <unordered_map>

#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>

namespace lathe::compression {
namespace {

using torch::jit::Node;
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

}  // namespace

InstructionFunction find_instruction(torch::jit::Symbol kind) {
  static const std::unordered_map<torch::jit::Symbol, InstructionFunction> table{
      {prim::ListConstruct, list_construct}, {prim::TupleConstruct, tuple_construct},
      {prim::DictConstruct, dict_construct}, {prim::TupleUnpack, tuple_unpack},
      {prim::ListUnpack, list_unpack},       {prim::GetAttr, get_attribute},
      {prim::SetAttr, set_attribute},        {prim::Constant, constant},
      {prim::Uninitialized, uninitialized},  {prim::isinstance, is_instance}};
  const auto found = table.find(kind);
  return found == table.end() ? nullptr : found->second;
}

}  // namespace lathe::compression
