#include "graph/schema.hpp"

#include <string>
#include <vector>

#include <torch/csrc/jit/ir/constants.h>

namespace lathe::compression {

std::optional<std::size_t> argument_index(const torch::jit::Node* node, std::string_view name) {
  const auto* schema = node->maybeSchema();
  if (!schema) return std::nullopt;
  const auto index = schema->argumentIndexWithName(std::string(name));
  if (!index || static_cast<std::size_t>(*index) >= node->inputs().size()) return std::nullopt;
  return static_cast<std::size_t>(*index);
}

const torch::jit::Value* argument(const torch::jit::Node* node, std::string_view name) {
  const auto index = argument_index(node, name);
  return index ? node->input(*index) : nullptr;
}

c10::IValue constant_value(const torch::jit::Value* value) {
  if (auto constant = torch::jit::toIValue(value)) return *constant;
  if (value->node()->kind() != c10::prim::ListConstruct) return {};
  std::vector<std::int64_t> ints;
  for (const auto* element : value->node()->inputs()) {
    const auto constant = torch::jit::toIValue(element);
    if (!constant || !constant->isInt()) return {};
    ints.push_back(constant->toInt());
  }
  return ints;
}

}  // namespace lathe::compression
