#include "onnx/import/node_call.hpp"

#include <charconv>
#include <cmath>
#include <system_error>

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::compression::onnx_in {
namespace {

/// All integers of a tensor, in order.
Ints integers_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kLong).contiguous().reshape({-1});
  const auto* data = flat.data_ptr<std::int64_t>();
  return {data, data + flat.numel()};
}

/// More integers than a shape, a list of axes or of indices ever has.
constexpr std::int64_t kMostIntegers = 4096;

bool is_list_of_integers(const at::Tensor& tensor) {
  return tensor.defined() && c10::isIntegralType(tensor.scalar_type(), false) && tensor.dim() <= 1 &&
         tensor.numel() <= kMostIntegers;
}

/// A name that an exporter made up: `onnx::Conv_123` (PyTorch), `const_fold_opt__45` (tf2onnx), `123`.
bool is_generated(const std::string& name) {
  if (name.starts_with("onnx::")) return true;
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  if (digits == name.size()) return name.empty();
  const bool is_numbered = digits == 0 || name.substr(0, digits).ends_with("__");
  return is_numbered && name.find_first_of("./") == std::string::npos;
}

}  // namespace

void NodeCall::bad(const std::string& what) const {
  throw Malformed(fmt::format("{}: {}", node_.text(), what));
}

const AttributeValue* NodeCall::attribute(const std::string& name) const {
  const auto found = node_.attributes.find(name);
  return found == node_.attributes.end() ? nullptr : &found->second;
}

bool NodeCall::has_attribute(const std::string& name) const {
  return attribute(name) != nullptr;
}

std::int64_t NodeCall::integer(const std::string& name, std::int64_t otherwise) const {
  const auto* found = attribute(name);
  if (found == nullptr) return otherwise;
  if (const auto* number = std::get_if<std::int64_t>(found)) return *number;
  bad(fmt::format("attribute `{}` is no integer", name));
}

double NodeCall::real(const std::string& name, double otherwise) const {
  const auto* found = attribute(name);
  if (found == nullptr) return otherwise;
  if (const auto* number = std::get_if<float>(found)) return static_cast<double>(*number);
  bad(fmt::format("attribute `{}` is no float", name));
}

std::string NodeCall::text(const std::string& name, const std::string& otherwise) const {
  const auto* found = attribute(name);
  if (found == nullptr) return otherwise;
  if (const auto* words = std::get_if<std::string>(found)) return *words;
  bad(fmt::format("attribute `{}` is no string", name));
}

Strings NodeCall::texts(const std::string& name, const Strings& otherwise) const {
  const auto* found = attribute(name);
  if (found == nullptr) return otherwise;
  if (const auto* list = std::get_if<Strings>(found)) return *list;
  bad(fmt::format("attribute `{}` is no list of strings", name));
}

Ints NodeCall::integers(const std::string& name, const Ints& otherwise, std::size_t count) const {
  const auto* found = attribute(name);
  const auto* list = found == nullptr ? &otherwise : std::get_if<Ints>(found);
  if (list == nullptr) bad(fmt::format("attribute `{}` is no list of integers", name));
  if (count > 0 && list->size() != count) {
    bad(fmt::format("attribute `{}` has {} numbers; expected {}", name, list->size(), count));
  }
  return *list;
}

const std::string& NodeCall::input_name(std::size_t i) const {
  if (!has(i)) bad(fmt::format("input {} is missing", i));
  return node_.inputs[i];
}

const Value& NodeCall::value(std::size_t i) const {
  return builder_.value(input_name(i));
}

std::string NodeCall::in(std::size_t i) {
  return builder_.tensor(input_name(i));
}

at::Tensor NodeCall::constant(std::size_t i) const {
  return has(i) ? value(i).constant : at::Tensor();
}

at::Tensor NodeCall::required_constant(std::size_t i, const std::string& what) const {
  at::Tensor found = constant(i);
  if (!found.defined()) bad(fmt::format("its {} is computed from the input, which is not supported", what));
  return found;
}

std::optional<Ints> NodeCall::fixed_integers(const std::string& name, std::size_t i) const {
  if (has_attribute(name)) {
    const auto* list = std::get_if<Ints>(attribute(name));
    return list != nullptr ? *list : Ints{integer(name, 0)};
  }
  if (!has(i)) return std::nullopt;
  const at::Tensor found = required_constant(i, name);
  if (!is_list_of_integers(found)) bad(fmt::format("its {} are no list of integers", name));
  return integers_of(found);
}

std::optional<Strings> NodeCall::integer_codes(std::size_t i) const {
  const Value& known = value(i);
  if (known.integers) return known.integers;
  if (!is_list_of_integers(known.constant)) return std::nullopt;
  Strings codes;
  for (const std::int64_t one : integers_of(known.constant)) codes.push_back(std::to_string(one));
  return codes;
}

double NodeCall::number(std::size_t i, const std::string& what) const {
  const at::Tensor found = required_constant(i, what);
  if (found.numel() != 1) bad(fmt::format("its {} has {} elements; expected one", what, found.numel()));
  return found.item().toDouble();
}

std::optional<std::int64_t> NodeCall::rank(std::size_t i) const {
  const Value& known = value(i);
  if (known.constant.defined()) return known.constant.dim();
  if (known.integers) return known.is_scalar ? 0 : 1;
  const auto found = builder_.graph().types.find(input_name(i));
  if (found == builder_.graph().types.end() || !found->second.dims) return builder_.own_rank(input_name(i));
  return static_cast<std::int64_t>(found->second.dims->size());
}

std::int64_t NodeCall::required_rank(std::size_t i) const {
  const auto found = rank(i);
  if (!found) bad(fmt::format("the rank of its input `{}` cannot be told", input_name(i)));
  return *found;
}

std::int64_t NodeCall::fixed_size(std::size_t i, std::int64_t axis) const {
  const Value& known = value(i);
  if (known.constant.defined() && axis < known.constant.dim()) return known.constant.size(axis);
  const auto found = builder_.graph().types.find(input_name(i));
  const bool has_rank = found != builder_.graph().types.end() && found->second.dims;
  if (!has_rank || axis >= static_cast<std::int64_t>(found->second.dims->size()) ||
      !(*found->second.dims)[static_cast<std::size_t>(axis)]) {
    bad(fmt::format("size {} of its input `{}` cannot be told", axis, input_name(i)));
  }
  return *(*found->second.dims)[static_cast<std::size_t>(axis)];
}

at::ScalarType NodeCall::type(std::size_t i) const {
  const Value& known = value(i);
  if (known.constant.defined()) return known.constant.scalar_type();
  if (known.integers) return at::kLong;
  const auto found = builder_.graph().types.find(input_name(i));
  return found == builder_.graph().types.end() ? at::kFloat : found->second.type;
}

std::int64_t NodeCall::wrapped(std::int64_t axis, std::int64_t rank) const {
  if (axis < -rank || axis >= rank) bad(fmt::format("axis {} of a tensor of rank {}", axis, rank));
  return axis < 0 ? axis + rank : axis;
}

void NodeCall::out(const std::string& code, std::size_t i) {
  if (i >= node_.outputs.size() || node_.outputs[i].empty()) return;
  Value& value = builder_.value(node_.outputs[i]);
  value = {};
  value.code = variable(code);
}

bool NodeCall::is_integer_list(std::size_t i) const {
  return value(i).integers && !value(i).is_scalar;
}

bool NodeCall::is_integer(std::size_t i) const {
  return value(i).integers && value(i).is_scalar;
}

void NodeCall::out_constant(const at::Tensor& constant) {
  if (node_.outputs.empty()) return;
  Value& value = builder_.value(node_.outputs[0]);
  value = {};
  value.constant = constant;
}

void NodeCall::out_integers(Strings integers, bool is_scalar) {
  if (node_.outputs.empty()) return;
  Ints numbers;
  for (const std::string& code : integers)
    if (const auto number = literal_of(code)) numbers.push_back(*number);
  if (numbers.size() == integers.size()) {
    const at::Tensor list = at::tensor(numbers, at::kLong);
    return out_constant(is_scalar ? list.squeeze(0) : list);
  }
  Value& value = builder_.value(node_.outputs[0]);
  value = {};
  value.integers = std::move(integers);
  value.is_scalar = is_scalar;
}

std::string NodeCall::variable(const std::string& code) {
  std::string name = builder_.new_variable();
  builder_.line(fmt::format("{} = {}", name, code));
  return name;
}

std::string NodeCall::module(const std::string& name_source, const LeafModule& leaf) {
  const bool by_node = is_generated(name_source) && !node_.name.empty() && !is_generated(node_.name);
  std::string path = ModuleTree::layer_name(by_node ? node_.name : name_source);
  if (path.empty()) path = node_.name.empty() ? node_.type : node_.name;
  return builder_.tree().add(path, leaf) + ".forward";
}

Rule find_rule(std::string_view type) {
  for (const auto table : {layer_rules, elementwise_rules, pooling_rules, reduction_rules, layout_rules, indexing_rules,
                           size_rules, resize_rules, recurrent_rules, quantization_rules}) {
    const auto found = table().find(type);
    if (found != table().end()) return found->second;
  }
  return nullptr;
}

std::optional<std::int64_t> literal_of(const std::string& code) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(code.data(), code.data() + code.size(), number);
  const bool is_number = error == std::errc() && end == code.data() + code.size();
  return is_number ? std::optional(number) : std::nullopt;
}

std::string list_code(const Strings& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

std::string list_code(const Ints& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

std::string number_code(double value) {
  if (std::isnan(value)) return "float('nan')";
  if (std::isinf(value)) return value > 0 ? "float('inf')" : "float('-inf')";
  std::string digits = fmt::format("{:.17g}", value);
  if (digits.find_first_of(".e") == std::string::npos) digits += ".0";
  return digits;
}

std::string type_code(at::ScalarType type) {
  return std::to_string(static_cast<int>(type));
}

}  // namespace lathe::compression::onnx_in
