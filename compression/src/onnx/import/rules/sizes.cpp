// Shapes as values, constants, and tensors made of sizes.
#include <algorithm>
#include <string>

#include <ATen/Functions.h>
#include <fmt/format.h>

#include "onnx/element_type.hpp"
#include "onnx/import/node_call.hpp"

namespace lathe::compression::onnx_in {
namespace {

void constant(NodeCall& call) {
  const auto& attributes = call.node().attributes;
  if (call.node().outputs.size() != 1 || attributes.size() != 1) call.bad("it has not one attribute and one output");
  const AttributeValue& given = attributes.begin()->second;
  Value& value = call.builder().value(call.node().outputs[0]);
  if (const auto* tensor = std::get_if<at::Tensor>(&given)) {
    value.constant = *tensor;
  } else if (const auto* integer = std::get_if<std::int64_t>(&given)) {
    value.constant = at::scalar_tensor(*integer, at::kLong);
  } else if (const auto* real = std::get_if<float>(&given)) {
    value.constant = at::scalar_tensor(*real, at::kFloat);
  } else if (const auto* integers = std::get_if<Ints>(&given)) {
    value.constant = at::tensor(*integers, at::kLong);
  } else if (const auto* reals = std::get_if<std::vector<float>>(&given)) {
    value.constant = at::tensor(*reals, at::kFloat);
  } else {
    call.bad("its value is of a kind that is not supported");
  }
  // Some exporters write their weights as constants.
  value.trainable = c10::isFloatingType(value.constant.scalar_type()) && value.constant.numel() > 1;
}

void shape(NodeCall& call) {
  const std::int64_t rank = call.required_rank(0);
  const at::Tensor constant = call.constant(0);
  const bool is_list = call.is_integer_list(0);
  const std::string x = constant.defined() || is_list ? "" : call.in(0);
  const auto size_code = [&](std::int64_t i) {
    if (constant.defined()) return std::to_string(constant.size(i));
    return is_list ? std::to_string(call.value(0).integers->size()) : fmt::format("{}.size({})", x, i);
  };
  std::int64_t start = call.integer("start", 0);
  std::int64_t end = call.integer("end", rank);
  start = std::clamp<std::int64_t>(start < 0 ? start + rank : start, 0, rank);
  end = std::clamp<std::int64_t>(end < 0 ? end + rank : end, 0, rank);
  Strings sizes;
  for (std::int64_t i = start; i < end; ++i) sizes.push_back(size_code(i));
  call.out_integers(sizes, false);
}

void size(NodeCall& call) {
  call.out_integers({fmt::format("{}.numel()", call.in(0))}, true);
}

void cast(NodeCall& call) {
  const auto type = torch_element_type(call.integer("to", 0));
  if (!type) call.bad(fmt::format("it casts to element type {}, which is not supported", call.integer("to", 0)));
  const Value& value = call.value(0);
  if (value.integers && c10::isIntegralType(*type, false)) return call.out_integers(*value.integers, value.is_scalar);
  call.out(fmt::format("{}.to({})", call.in(0), type_code(*type)));
}

/// The length of a list that is known and no longer than a shape.
std::optional<std::int64_t> few_elements(const Strings& codes) {
  constexpr std::int64_t kMost = 64;
  const auto length = codes.size() == 1 ? literal_of(codes[0]) : std::nullopt;
  return length && *length >= 0 && *length <= kMost ? length : std::nullopt;
}

void constant_of_shape(NodeCall& call) {
  const auto codes = call.integer_codes(0);
  if (!codes) call.bad("its shape hangs on the data");
  at::Tensor value = at::zeros({1}, at::kFloat);
  const auto given = call.node().attributes.find("value");
  if (given != call.node().attributes.end()) {
    const auto* tensor = std::get_if<at::Tensor>(&given->second);
    if (tensor == nullptr || tensor->numel() != 1) call.bad("its value is no tensor of one element");
    value = *tensor;
  }
  if (const auto elements = few_elements(*codes)) {
    return call.out_constant(value.reshape({1}).expand({*elements}).contiguous());
  }
  const bool real = c10::isFloatingType(value.scalar_type());
  const std::string number =
      real ? number_code(value.item().toDouble()) : std::to_string(value.to(at::kLong).item().toLong());
  call.out(fmt::format("torch.full({}, {}, dtype={})", list_code(*codes), number, type_code(value.scalar_type())));
}

void range(NodeCall& call) {
  if (!c10::isIntegralType(call.type(0), false)) call.bad("its bounds are no integers");
  Strings bounds;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto codes = call.integer_codes(i);
    if (!codes || codes->size() != 1) call.bad("its bounds hang on the data");
    bounds.push_back(codes->front());
  }
  call.out(fmt::format("torch.arange({}, {}, {})", bounds[0], bounds[1], bounds[2]));
}

}  // namespace

const Rules& size_rules() {
  static const Rules rules{
      {"Constant", constant}, {"Shape", shape}, {"Size", size}, {"Cast", cast}, {"ConstantOfShape", constant_of_shape},
      {"Range", range}};
  return rules;
}

}  // namespace lathe::compression::onnx_in
