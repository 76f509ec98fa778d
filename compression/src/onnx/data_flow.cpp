#include "onnx/data_flow.hpp"

#include <algorithm>

#include <ATen/core/function_schema.h>

namespace lathe::compression::onnx_out {
namespace {

void collect(const c10::IValue& value, std::vector<at::Tensor>& tensors) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) tensors.push_back(value.toTensor());
  } else if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorVector()) tensors.push_back(tensor);
  } else if (value.isIntList() || value.isDoubleList() || value.isBoolList()) {
    return;
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) collect(element, tensors);
  } else if (value.isTuple()) {
    for (const c10::IValue& element : value.toTupleRef().elements()) collect(element, tensors);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) collect(entry.value(), tensors);
  }
}

}  // namespace

std::vector<at::Tensor> all_tensors(const Values& values) {
  std::vector<at::Tensor> tensors;
  for (const c10::IValue& value : values) collect(value, tensors);
  return tensors;
}

bool DataFlow::is_data(const at::Tensor& tensor) const {
  const bool* known = data_.find(tensor);
  return known != nullptr && *known;
}

bool DataFlow::any_data(const Values& values) const {
  const auto tensors = all_tensors(values);
  return std::any_of(tensors.begin(), tensors.end(), [&](const at::Tensor& tensor) { return is_data(tensor); });
}

bool is_in_place(const torch::jit::Node* node, const Values& inputs) {
  const auto* schema = node->maybeSchema();
  if (schema == nullptr || inputs.empty() || !inputs[0].isTensor() || schema->arguments().empty()) return false;
  const auto* alias = schema->arguments()[0].alias_info();
  return alias != nullptr && alias->isWrite();
}

void DataFlow::step(const torch::jit::Node* node, const Values& inputs, const Values& outputs, bool forced) {
  if (!forced && !any_data(inputs)) return;
  const auto before = all_tensors(inputs);
  const bool all = forced || is_in_place(node, inputs);
  for (const at::Tensor& tensor : all_tensors(outputs)) {
    // What a node only hands on stays what it was.
    const bool handed_on =
        std::any_of(before.begin(), before.end(), [&](const auto& in) { return in.is_same(tensor); });
    if (all || !handed_on) data_[tensor] = true;
  }
}

}  // namespace lathe::compression::onnx_out
