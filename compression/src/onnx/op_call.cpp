#include "onnx/op_call.hpp"

#include <algorithm>

#include <ATen/Functions.h>
#include <fmt/format.h>

#include "graph/schema.hpp"
#include "onnx/element_type.hpp"

namespace lathe::compression::onnx_out {
namespace {

constexpr auto kBatchDependent = "`{}` depends on the batch size";

std::int64_t wrapped(std::int64_t axis, std::int64_t rank) {
  return axis < 0 ? axis + rank : axis;
}

/// The reshape that keeps what it can: 0 copies a dimension of the input, -1 is the one that follows from the others.
std::optional<std::vector<std::int64_t>> literal_shape(const Sizes& from, const Sizes& to) {
  std::vector<std::int64_t> literal;
  bool inferred = false;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const bool copied = i < from.size() && from[i] == to[i];
    if (to[i].is_static() && to[i].fixed != 0) {
      literal.push_back(to[i].fixed);
    } else if (copied) {
      literal.push_back(0);
    } else if (!inferred && !to[i].is_static()) {
      literal.push_back(-1);
      inferred = true;
    } else {
      return std::nullopt;
    }
  }
  return literal;
}

}  // namespace

OpCall::OpCall(const torch::jit::Node* node, const Values& inputs, const Values& outputs,
               std::vector<const SeenStep*> probes, GraphBuilder& graph, TensorNames& names)
    : node_(node), inputs_(inputs), outputs_(outputs), probes_(std::move(probes)), graph_(graph), names_(names) {}

c10::IValue OpCall::argument(std::string_view name) const {
  const auto index = argument_index(node_, name);
  return index ? inputs_.at(*index) : c10::IValue();
}

at::Tensor OpCall::tensor(std::string_view name) const {
  const auto value = argument(name);
  return value.isTensor() ? value.toTensor() : at::Tensor();
}

at::Tensor OpCall::required(std::string_view name) const {
  at::Tensor found = tensor(name);
  if (!found.defined()) throw Unsupported(fmt::format("it has no tensor `{}`", name));
  return found;
}

std::vector<at::Tensor> OpCall::tensors(std::string_view name) const {
  return all_tensors({argument(name)});
}

bool OpCall::is_static(std::size_t index) const {
  if (probes_.empty()) return true;
  const auto& first = probes_[0]->inputs.at(index).numbers;
  const auto& second = probes_[1]->inputs.at(index).numbers;
  DataFlow no_data;
  const auto here = look_at_inputs({inputs_.at(index)}, no_data).at(0).numbers;
  return here == first && first == second;
}

c10::IValue OpCall::fixed_argument(std::string_view name) const {
  const auto index = argument_index(node_, name);
  if (!index) throw Unsupported(fmt::format("it has no argument `{}`", name));
  const c10::IValue& value = inputs_.at(*index);
  if (!value.isTensor() && !is_static(*index)) throw Unsupported(fmt::format(kBatchDependent, name));
  return value;
}

std::int64_t OpCall::integer(std::string_view name) const {
  const auto value = fixed_argument(name);
  if (value.isBool()) return value.toBool() ? 1 : 0;
  if (!value.isInt()) throw Unsupported(fmt::format("`{}` is no integer", name));
  return value.toInt();
}

double OpCall::number(std::string_view name) const {
  const auto value = fixed_argument(name);
  if (value.isInt()) return static_cast<double>(value.toInt());
  if (value.isBool()) return value.toBool() ? 1 : 0;
  if (value.isTensor() && is_constant(value.toTensor()) && value.toTensor().numel() == 1) {
    return value.toTensor().detach().item().toDouble();
  }
  if (!value.isDouble()) throw Unsupported(fmt::format("`{}` is no number", name));
  return value.toDouble();
}

bool OpCall::flag(std::string_view name) const {
  const auto value = argument(name);
  return !value.isNone() && fixed_argument(name).toBool();
}

std::vector<std::int64_t> OpCall::integers(std::string_view name, std::size_t count) const {
  const auto value = fixed_argument(name);
  std::vector<std::int64_t> list = value.isInt() ? std::vector{value.toInt()} : value.toIntVector();
  if (list.size() == 1 && count > 1) list.resize(count, list[0]);
  return list;
}

std::vector<std::int64_t> OpCall::axes(std::string_view name, std::int64_t rank) const {
  auto list = integers(name);
  for (std::int64_t& axis : list) axis = wrapped(axis, rank);
  return list;
}

std::int64_t OpCall::axis(std::string_view name, std::int64_t rank) const {
  return wrapped(integer(name), rank);
}

Sizes OpCall::sizes(std::string_view name) const {
  const auto index = argument_index(node_, name);
  if (!index) throw Unsupported(fmt::format("it has no argument `{}`", name));
  const c10::IValue& value = inputs_.at(*index);
  const std::vector<std::int64_t> here = value.isInt() ? std::vector{value.toInt()} : value.toIntVector();
  if (is_static(*index)) return fixed_sizes(here);
  Sizes sizes;
  for (std::size_t i = 0; i < here.size(); ++i) {
    const auto size = SizeFit::fit(static_cast<double>(here[i]), probes_[0]->inputs.at(*index).numbers.at(i),
                                   probes_[1]->inputs.at(*index).numbers.at(i));
    if (!size) throw Unsupported(fmt::format("`{}` does not grow linearly with the batch", name));
    sizes.push_back(size->is_static() ? Size{0, here[i]} : *size);
  }
  return sizes;
}

std::string OpCall::operand(std::string_view name, at::ScalarType type) {
  const auto value = argument(name);
  if (value.isTensor()) return in_as(name, type);
  const auto index = argument_index(node_, name);
  if (!index) throw Unsupported(fmt::format("it has no argument `{}`", name));
  if (is_static(*index)) return scalar(number(name), type);
  if (!value.isInt()) throw Unsupported(fmt::format(kBatchDependent, name));
  return cast(squeeze(shape(sizes(name)), {0}), at::kLong, type);
}

at::Tensor OpCall::result(std::size_t index) const {
  const c10::IValue& value = outputs_.at(index);
  if (!value.isTensor()) throw Unsupported("it does not return a tensor");
  return value.toTensor();
}

std::int64_t OpCall::fixed_size(const at::Tensor& tensor, std::int64_t axis) const {
  const Size size = dims(tensor).at(static_cast<std::size_t>(axis));
  if (!size.is_static()) throw Unsupported(fmt::format("dimension {} depends on the batch size", axis));
  return size.fixed;
}

std::string OpCall::cast(const std::string& value, at::ScalarType from, at::ScalarType to) {
  return from == to ? value : add("Cast", {value}, {{"to", onnx_element_type(to)}});
}

std::string OpCall::shape(const Sizes& sizes) {
  if (std::all_of(sizes.begin(), sizes.end(), [](const Size& size) { return size.is_static(); })) {
    std::vector<std::int64_t> literal;
    for (const Size& size : sizes) literal.push_back(size.fixed);
    return ints(literal);
  }
  Names parts;
  for (const Size& size : sizes) {
    if (size.is_static()) {
      parts.push_back(ints({size.fixed}));
      continue;
    }
    std::string part = names_.batch();
    if (size.per_batch != 1) part = add("Mul", {part, ints({size.per_batch})});
    if (size.fixed != 0) part = add("Add", {part, ints({size.fixed})});
    parts.push_back(part);
  }
  return parts.size() == 1 ? parts[0] : add("Concat", parts, {{"axis", 0}});
}

std::string OpCall::reshape(const std::string& value, const Sizes& from, const Sizes& to) {
  if (from == to) return value;
  const auto literal = literal_shape(from, to);
  if (literal) return add("Reshape", {value, ints(*literal)});
  const bool has_zero = std::find(to.begin(), to.end(), Size{}) != to.end();
  if (has_zero && opset() < 14) throw Unsupported("a tensor without elements needs opset 14");
  return add("Reshape", {value, shape(to)}, has_zero ? Attributes{{"allowzero", 1}} : Attributes{});
}

std::string OpCall::transpose(const std::string& value, const std::vector<std::int64_t>& order) {
  return std::is_sorted(order.begin(), order.end()) ? value : add("Transpose", {value}, {{"perm", order}});
}

std::string OpCall::unsqueeze(const std::string& value, const std::vector<std::int64_t>& axes) {
  return axes.empty() ? value : add("Unsqueeze", {value, ints(axes)});
}

std::string OpCall::squeeze(const std::string& value, const std::vector<std::int64_t>& axes) {
  return axes.empty() ? value : add("Squeeze", {value, ints(axes)});
}

std::string OpCall::transposed(const at::Tensor& tensor) {
  if (is_constant(tensor)) return name(tensor.detach().transpose(-1, -2).contiguous());
  std::vector<std::int64_t> order(static_cast<std::size_t>(tensor.dim()));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return transpose(name(tensor), order);
}

Sizes fixed_sizes(const std::vector<std::int64_t>& sizes) {
  Sizes all;
  for (const std::int64_t size : sizes) all.push_back({0, size});
  return all;
}

OnnxRule find_onnx_rule(std::string_view name) {
  const bool in_place = name.ends_with('_') && !name.ends_with("__");
  const std::string_view plain = in_place ? name.substr(0, name.size() - 1) : name;
  for (const auto table : {activation_rules, arithmetic_rules, attention_rules, comparison_rules, convolution_rules,
                           creation_rules, indexing_rules, joining_rules, matrix_rules, normalization_rules,
                           padding_rules, pooling_rules, recurrent_rules, reduction_rules, resize_rules, shape_rules}) {
    const auto found = table().find(plain);
    if (found != table().end()) return found->second;
  }
  return nullptr;
}

}  // namespace lathe::compression::onnx_out
