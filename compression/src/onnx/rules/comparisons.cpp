// Comparisons, logic, and choosing by a condition.
#include <limits>
#include <string>

#include <ATen/Functions.h>
#include <c10/core/ScalarType.h>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {
namespace {

/// The type that both sides are compared in. A number takes part as its kind (integer or float) alone.
at::ScalarType compared_type(OpCall& call) {
  const at::Tensor self = call.required("self");
  const auto other = call.argument("other");
  return other.isTensor() ? at::result_type(self, other.toTensor()) : at::result_type(self, other.toScalar());
}

template <const char* kType>
void compare(OpCall& call) {
  const auto type = compared_type(call);
  call.out(call.add(kType, {call.operand("self", type), call.operand("other", type)}));
}

constexpr char kEqual[] = "Equal";
constexpr char kLess[] = "Less";
constexpr char kLessOrEqual[] = "LessOrEqual";
constexpr char kGreater[] = "Greater";
constexpr char kGreaterOrEqual[] = "GreaterOrEqual";
constexpr char kAnd[] = "And";
constexpr char kOr[] = "Or";
constexpr char kXor[] = "Xor";

void not_equal(OpCall& call) {
  const auto type = compared_type(call);
  call.out(call.add("Not", {call.add("Equal", {call.operand("self", type), call.operand("other", type)})}));
}

template <const char* kType>
void logical(OpCall& call) {
  if (call.result().scalar_type() != at::kBool) throw Unsupported("ONNX has logic for bool tensors only");
  call.out(call.add(kType, {call.operand("self", at::kBool), call.operand("other", at::kBool)}));
}

void logical_not(OpCall& call) {
  if (call.result().scalar_type() != at::kBool) throw Unsupported("ONNX has logic for bool tensors only");
  call.out(call.add("Not", {call.in_as("self", at::kBool)}));
}

void where(OpCall& call) {
  if (!call.has("self")) throw Unsupported("the number of indices that it returns depends on the data");
  const auto type = call.result().scalar_type();
  call.out(
      call.add("Where", {call.in_as("condition", at::kBool), call.operand("self", type), call.operand("other", type)}));
}

void masked_fill(OpCall& call) {
  const auto type = call.result().scalar_type();
  call.out(call.add("Where", {call.in_as("mask", at::kBool), call.operand("value", type), call.in("self")}));
}

void isnan(OpCall& call) {
  call.out(call.add("IsNaN", {call.in("self")}));
}

void isinf(OpCall& call) {
  call.out(call.add("IsInf", {call.in("self")}));
}

void cast(OpCall& call) {
  call.out(call.in_as("self", call.result().scalar_type()));
}

/// Infinities and NaN replaced: NaN is the only value that differs from itself.
void nan_to_num(OpCall& call) {
  const auto type = call.result().scalar_type();
  if (type != at::kFloat) throw Unsupported("it is written for float32 only");
  const double largest = std::numeric_limits<float>::max();
  const double nan = call.has("nan") ? call.number("nan") : 0;
  const double high = call.has("posinf") ? call.number("posinf") : largest;
  const double low = call.has("neginf") ? call.number("neginf") : -largest;
  const std::string x = call.in("self");
  std::string y = call.add("Where", {call.add("IsNaN", {x}), call.scalar(nan, type), x});
  y = call.add("Where", {call.add("IsInf", {x}, {{"detect_negative", 0}}), call.scalar(high, type), y});
  call.out(call.add("Where", {call.add("IsInf", {x}, {{"detect_positive", 0}}), call.scalar(low, type), y}));
}

}  // namespace

const RuleTable& comparison_rules() {
  static const RuleTable table{{"aten::eq", compare<kEqual>},
                               {"aten::ne", not_equal},
                               {"aten::lt", compare<kLess>},
                               {"aten::le", compare<kLessOrEqual>},
                               {"aten::gt", compare<kGreater>},
                               {"aten::ge", compare<kGreaterOrEqual>},
                               {"aten::logical_and", logical<kAnd>},
                               {"aten::logical_or", logical<kOr>},
                               {"aten::logical_xor", logical<kXor>},
                               {"aten::__and__", logical<kAnd>},
                               {"aten::__or__", logical<kOr>},
                               {"aten::__xor__", logical<kXor>},
                               {"aten::bitwise_and", logical<kAnd>},
                               {"aten::bitwise_or", logical<kOr>},
                               {"aten::bitwise_xor", logical<kXor>},
                               {"aten::logical_not", logical_not},
                               {"aten::bitwise_not", logical_not},
                               {"aten::where", where},
                               {"aten::masked_fill", masked_fill},
                               {"aten::isnan", isnan},
                               {"aten::isinf", isinf},
                               {"aten::nan_to_num", nan_to_num},
                               {"aten::to", cast},
                               {"aten::_to_copy", cast},
                               {"aten::type_as", cast},
                               {"aten::float", cast},
                               {"aten::double", cast},
                               {"aten::half", cast},
                               {"aten::long", cast},
                               {"aten::int", cast},
                               {"aten::bool", cast},
                               {"aten::cpu", cast}};
  return table;
}

}  // namespace lathe::compression::onnx_out
