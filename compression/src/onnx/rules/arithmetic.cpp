// Elementwise arithmetic and functions.
#include <string>

#include <c10/core/ScalarType.h>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {
namespace {

/// The type to compute in: the one that PyTorch promoted to.
at::ScalarType common_type(OpCall& call) {
  return call.result().scalar_type();
}

/// `other`, times `alpha` where the operator has one.
std::string scaled_other(OpCall& call, std::string_view name, at::ScalarType type) {
  std::string other = call.operand(name, type);
  const double alpha = call.has("alpha") ? call.number("alpha") : 1;
  return alpha == 1 ? other : call.add("Mul", {other, call.scalar(alpha, type)});
}

void add(OpCall& call) {
  const auto type = common_type(call);
  if (type == at::kBool) return call.out(call.add("Or", {call.operand("self", type), call.operand("other", type)}));
  call.out(call.add("Add", {call.operand("self", type), scaled_other(call, "other", type)}));
}

void sub(OpCall& call) {
  const auto type = common_type(call);
  call.out(call.add("Sub", {call.operand("self", type), scaled_other(call, "other", type)}));
}

void rsub(OpCall& call) {
  const auto type = common_type(call);
  const double alpha = call.has("alpha") ? call.number("alpha") : 1;
  std::string self = call.operand("self", type);
  if (alpha != 1) self = call.add("Mul", {self, call.scalar(alpha, type)});
  call.out(call.add("Sub", {call.operand("other", type), self}));
}

void mul(OpCall& call) {
  const auto type = common_type(call);
  call.out(call.add(type == at::kBool ? "And" : "Mul", {call.operand("self", type), call.operand("other", type)}));
}

/// Quotients rounded down; integers are divided as such, where ONNX rounds towards zero.
std::string floored(OpCall& call, const std::string& a, const std::string& b, at::ScalarType type) {
  if (c10::isFloatingType(type)) return call.add("Floor", {call.add("Div", {a, b})});
  const std::string modulo = call.add("Mod", {a, b});  // has the sign of b
  return call.add("Div", {call.add("Sub", {a, modulo}), b});
}

/// Rounded towards zero.
std::string truncated(OpCall& call, const std::string& a, const std::string& b, at::ScalarType type) {
  const std::string quotient = call.add("Div", {a, b});
  if (!c10::isFloatingType(type)) return quotient;
  return call.add("Mul", {call.add("Sign", {quotient}), call.add("Floor", {call.add("Abs", {quotient})})});
}

void div(OpCall& call) {
  const auto type = common_type(call);
  const std::string a = call.operand("self", type);
  const std::string b = call.operand("other", type);
  const auto mode = call.argument("rounding_mode");
  if (!mode.isString()) return call.out(call.add("Div", {a, b}));
  call.out(mode.toStringRef() == "floor" ? floored(call, a, b, type) : truncated(call, a, b, type));
}

void floor_divide(OpCall& call) {
  const auto type = common_type(call);
  call.out(floored(call, call.operand("self", type), call.operand("other", type), type));
}

/// a - floor(a / b) * b: the sign of b, as Python's %.
void remainder(OpCall& call) {
  const auto type = common_type(call);
  const std::string a = call.operand("self", type);
  const std::string b = call.operand("other", type);
  if (!c10::isFloatingType(type)) return call.out(call.add("Mod", {a, b}));
  call.out(call.add("Sub", {a, call.add("Mul", {floored(call, a, b, type), b})}));
}

void fmod(OpCall& call) {
  const auto type = common_type(call);
  call.out(call.add("Mod", {call.operand("self", type), call.operand("other", type)}, {{"fmod", 1}}));
}

void pow(OpCall& call) {
  const auto type = common_type(call);
  call.out(call.add("Pow", {call.operand("self", type), call.operand("exponent", type)}));
}

void square(OpCall& call) {
  const std::string x = call.in("self");
  call.out(call.add("Mul", {x, x}));
}

/// Of one tensor; integers become floats where PyTorch makes them so.
template <const char* kType>
void unary(OpCall& call) {
  call.out(call.add(kType, {call.in_as("self", call.result().scalar_type())}));
}

constexpr char kAbs[] = "Abs";
constexpr char kCeil[] = "Ceil";
constexpr char kCos[] = "Cos";
constexpr char kErf[] = "Erf";
constexpr char kExp[] = "Exp";
constexpr char kFloor[] = "Floor";
constexpr char kLog[] = "Log";
constexpr char kNeg[] = "Neg";
constexpr char kReciprocal[] = "Reciprocal";
constexpr char kSign[] = "Sign";
constexpr char kSin[] = "Sin";
constexpr char kSqrt[] = "Sqrt";
constexpr char kTan[] = "Tan";
constexpr char kAtan[] = "Atan";

void rsqrt(OpCall& call) {
  call.out(call.add("Reciprocal", {call.add("Sqrt", {call.in_as("self", call.result().scalar_type())})}));
}

void log1p(OpCall& call) {
  const auto type = common_type(call);
  call.out(call.add("Log", {call.add("Add", {call.in_as("self", type), call.scalar(1, type)})}));
}

void expm1(OpCall& call) {
  const auto type = common_type(call);
  call.out(call.add("Sub", {call.add("Exp", {call.in_as("self", type)}), call.scalar(1, type)}));
}

void log_to_base(OpCall& call, double natural_log_of_base) {
  const auto type = common_type(call);
  call.out(call.add("Div", {call.add("Log", {call.in_as("self", type)}), call.scalar(natural_log_of_base, type)}));
}

void log2(OpCall& call) {
  log_to_base(call, 0.693147180559945309417);
}

void log10(OpCall& call) {
  log_to_base(call, 2.302585092994045684018);
}

/// Half to even, in both.
void round(OpCall& call) {
  if (call.has("decimals") && call.integer("decimals") != 0) throw Unsupported("ONNX rounds to integers only");
  call.out(call.add("Round", {call.in("self")}));
}

void trunc(OpCall& call) {
  const std::string x = call.in("self");
  call.out(call.add("Mul", {call.add("Sign", {x}), call.add("Floor", {call.add("Abs", {x})})}));
}

/// A bound of clamp: nothing, a number or a tensor.
std::string bounded(OpCall& call, const std::string& x, std::string_view bound, const char* type) {
  return call.has(bound) ? call.add(type, {x, call.operand(bound, common_type(call))}) : x;
}

void clamp(OpCall& call) {
  const auto type = common_type(call);
  const std::string x = call.operand("self", type);
  const bool tensors = call.argument("min").isTensor() || call.argument("max").isTensor();
  if (tensors || !c10::isFloatingType(type)) {
    return call.out(bounded(call, bounded(call, x, "min", "Max"), "max", "Min"));
  }
  Names inputs{x, call.has("min") ? call.operand("min", type) : std::string()};
  if (call.has("max")) inputs.push_back(call.operand("max", type));
  call.out(call.add("Clip", inputs));
}

template <const char* kType>
void binary(OpCall& call) {
  const auto type = common_type(call);
  call.out(call.add(kType, {call.operand("self", type), call.operand("other", type)}));
}

constexpr char kMax[] = "Max";
constexpr char kMin[] = "Min";

void addc(OpCall& call, const char* type_of_product) {
  const auto type = common_type(call);
  std::string product = call.add(type_of_product, {call.operand("tensor1", type), call.operand("tensor2", type)});
  if (const double value = call.number("value"); value != 1)
    product = call.add("Mul", {product, call.scalar(value, type)});
  call.out(call.add("Add", {call.operand("self", type), product}));
}

void addcmul(OpCall& call) {
  addc(call, "Mul");
}

void addcdiv(OpCall& call) {
  addc(call, "Div");
}

void lerp(OpCall& call) {
  const auto type = common_type(call);
  const std::string start = call.operand("self", type);
  const std::string way = call.add("Sub", {call.operand("end", type), start});
  call.out(call.add("Add", {start, call.add("Mul", {way, call.operand("weight", type)})}));
}

}  // namespace

const RuleTable& arithmetic_rules() {
  static const RuleTable table{{"aten::add", add},
                               {"aten::sub", sub},
                               {"aten::subtract", sub},
                               {"aten::rsub", rsub},
                               {"aten::mul", mul},
                               {"aten::multiply", mul},
                               {"aten::div", div},
                               {"aten::divide", div},
                               {"aten::true_divide", div},
                               {"aten::floor_divide", floor_divide},
                               {"aten::remainder", remainder},
                               {"aten::fmod", fmod},
                               {"aten::pow", pow},
                               {"aten::square", square},
                               {"aten::abs", unary<kAbs>},
                               {"aten::ceil", unary<kCeil>},
                               {"aten::cos", unary<kCos>},
                               {"aten::erf", unary<kErf>},
                               {"aten::exp", unary<kExp>},
                               {"aten::floor", unary<kFloor>},
                               {"aten::log", unary<kLog>},
                               {"aten::neg", unary<kNeg>},
                               {"aten::negative", unary<kNeg>},
                               {"aten::reciprocal", unary<kReciprocal>},
                               {"aten::sign", unary<kSign>},
                               {"aten::sgn", unary<kSign>},
                               {"aten::sin", unary<kSin>},
                               {"aten::sqrt", unary<kSqrt>},
                               {"aten::tan", unary<kTan>},
                               {"aten::atan", unary<kAtan>},
                               {"aten::rsqrt", rsqrt},
                               {"aten::log1p", log1p},
                               {"aten::expm1", expm1},
                               {"aten::log2", log2},
                               {"aten::log10", log10},
                               {"aten::round", round},
                               {"aten::trunc", trunc},
                               {"aten::clamp", clamp},
                               {"aten::clip", clamp},
                               {"aten::clamp_min", clamp},
                               {"aten::clamp_max", clamp},
                               {"aten::maximum", binary<kMax>},
                               {"aten::minimum", binary<kMin>},
                               {"aten::addcmul", addcmul},
                               {"aten::addcdiv", addcdiv},
                               {"aten::lerp", lerp}};
  return table;
}

}  // namespace lathe::compression::onnx_out
