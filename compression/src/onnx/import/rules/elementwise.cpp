// Elementwise operators.
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include <ATen/Functions.h>
#include <fmt/format.h>

#include "onnx/import/node_call.hpp"
#include "onnx/import/rules/integers.hpp"

namespace lathe::compression::onnx_in {
namespace {

/// One tensor, one function: {0} is the input.
const std::map<std::string, std::string>& unary_codes() {
  static const std::map<std::string, std::string> codes{{"Abs", "torch.abs({0})"},
                                                        {"Acos", "torch.acos({0})"},
                                                        {"Asin", "torch.asin({0})"},
                                                        {"Atan", "torch.atan({0})"},
                                                        {"Ceil", "torch.ceil({0})"},
                                                        {"Cos", "torch.cos({0})"},
                                                        {"Erf", "torch.erf({0})"},
                                                        {"Exp", "torch.exp({0})"},
                                                        {"Floor", "torch.floor({0})"},
                                                        {"HardSwish", "torch.hardswish({0})"},
                                                        {"Identity", "{0}"},
                                                        {"IsNaN", "torch.isnan({0})"},
                                                        {"Log", "torch.log({0})"},
                                                        {"Neg", "torch.neg({0})"},
                                                        {"Not", "torch.logical_not({0})"},
                                                        {"Reciprocal", "torch.reciprocal({0})"},
                                                        {"Round", "torch.round({0})"},
                                                        {"Sigmoid", "torch.sigmoid({0})"},
                                                        {"Sign", "torch.sign({0})"},
                                                        {"Sin", "torch.sin({0})"},
                                                        {"Softplus", "torch.softplus({0})"},
                                                        {"Softsign", "{0} / (torch.abs({0}) + 1)"},
                                                        {"Sqrt", "torch.sqrt({0})"},
                                                        {"Tan", "torch.tan({0})"},
                                                        {"Tanh", "torch.tanh({0})"}};
  return codes;
}

/// Two tensors that are broadcast.
const std::map<std::string, std::string>& binary_codes() {
  static const std::map<std::string, std::string> codes{
      {"And", "torch.logical_and({0}, {1})"}, {"Equal", "torch.eq({0}, {1})"},
      {"Greater", "torch.gt({0}, {1})"},      {"GreaterOrEqual", "torch.ge({0}, {1})"},
      {"Less", "torch.lt({0}, {1})"},         {"LessOrEqual", "torch.le({0}, {1})"},
      {"Or", "torch.logical_or({0}, {1})"},   {"Pow", "torch.pow({0}, {1})"},
      {"Xor", "torch.logical_xor({0}, {1})"}};
  return codes;
}

void unary(NodeCall& call) {
  const std::string x = call.in(0);
  call.out(fmt::format(fmt::runtime(unary_codes().at(call.node().type)), x));
}

/// A module without parameters, which quantizers can be told to quantize.
void relu(NodeCall& call) {
  const LeafModule leaf{"torch.nn.modules.activation.ReLU", {}, {}, "  return torch.relu(x)\n"};
  call.out(fmt::format("{}({})", call.module(call.node().name, leaf), call.in(0)));
}

/// A constant of one element as a number, so that it is at home on any device; else a tensor.
std::string operand(NodeCall& call, std::size_t i) {
  const at::Tensor constant = call.constant(i);
  const auto other_rank = call.rank(1 - i);
  const bool number = constant.defined() && constant.numel() == 1 && constant.scalar_type() == at::kFloat &&
                      other_rank && *other_rank >= std::max<std::int64_t>(constant.dim(), 1) &&
                      !call.constant(1 - i).defined();
  if (!number) return call.in(i);
  const double value = constant.item().toDouble();
  return std::isfinite(value) ? number_code(value) : call.in(i);
}

void binary(NodeCall& call) {
  if (call.node().type == "Equal" && equal_integers(call)) return;
  call.out(fmt::format(fmt::runtime(binary_codes().at(call.node().type)), call.in(0), operand(call, 1)));
}

template <char kSymbol>
void arithmetic(NodeCall& call) {
  const bool divides = kSymbol == '/';
  if (combine_integers(call, divides ? "//" : std::string(1, kSymbol))) return;
  const std::string a = operand(call, 0);
  const std::string b = operand(call, 1);
  if (divides && c10::isIntegralType(call.type(0), true)) {
    return call.out(fmt::format("torch.div({}, {}, rounding_mode='trunc')", a, b));
  }
  call.out(fmt::format("{} {} {}", a, kSymbol, b));
}

void modulo(NodeCall& call) {
  const bool fmod = call.integer("fmod", 0) != 0;
  call.out(fmt::format("torch.{}({}, {})", fmod ? "fmod" : "remainder", call.in(0), call.in(1)));
}

/// Sum, Mean, Max and Min take any number of tensors.
void variadic(NodeCall& call) {
  const std::string& type = call.node().type;
  if (call.input_count() == 0) call.bad("it has no input");
  if ((type == "Max" || type == "Min") && combine_integers(call, type == "Max" ? "max" : "min")) return;
  std::string code = call.in(0);
  for (std::size_t i = 1; i < call.input_count(); ++i) {
    if (type == "Max" || type == "Min") {
      code = fmt::format("torch.{}({}, {})", type == "Max" ? "maximum" : "minimum", code, call.in(i));
    } else {
      code = fmt::format("({} + {})", code, call.in(i));
    }
  }
  if (type == "Mean") code = fmt::format("{} / {}", code, call.input_count());
  call.out(code);
}

std::string bound(NodeCall& call, const char* attribute, std::size_t input) {
  if (call.opset() < 11) {
    return call.has_attribute(attribute) ? number_code(call.real(attribute, 0)) : "None";
  }
  if (!call.has(input)) return "None";
  const double value = call.number(input, attribute);
  return c10::isIntegralType(call.type(0), false) ? std::to_string(static_cast<std::int64_t>(value))
                                                  : number_code(value);
}

void clip(NodeCall& call) {
  const std::string low = bound(call, "min", 1);
  const std::string high = bound(call, "max", 2);
  if (low == "0.0" && high == "6.0") {
    const LeafModule leaf{"torch.nn.modules.activation.ReLU6", {}, {}, "  return torch.hardtanh(x, 0., 6.)\n"};
    return call.out(fmt::format("{}({})", call.module(call.node().name, leaf), call.in(0)));
  }
  if (low == "None" && high == "None") return call.out(call.in(0));
  call.out(fmt::format("torch.clamp({}, {}, {})", call.in(0), low, high));
}

void leaky_relu(NodeCall& call) {
  call.out(fmt::format("torch.leaky_relu({}, {})", call.in(0), number_code(call.real("alpha", 0.01))));
}

void elu(NodeCall& call) {
  call.out(fmt::format("torch.elu({}, {})", call.in(0), number_code(call.real("alpha", 1))));
}

void celu(NodeCall& call) {
  call.out(fmt::format("torch.celu({}, {})", call.in(0), number_code(call.real("alpha", 1))));
}

/// gamma * (max(0, x) + min(0, alpha * (exp(x) - 1)))
void selu(NodeCall& call) {
  constexpr double kAlpha = 1.67326319217681884765625;
  constexpr double kGamma = 1.05070102214813232421875;
  call.out(fmt::format("torch.elu({}, {}, {})", call.in(0), number_code(call.real("alpha", kAlpha)),
                       number_code(call.real("gamma", kGamma))));
}

void hard_sigmoid(NodeCall& call) {
  const double alpha = call.real("alpha", 0.2);
  const double beta = call.real("beta", 0.5);
  if (std::abs(alpha - 1.0 / 6) < 1e-6 && beta == 0.5)
    return call.out(fmt::format("torch.hardsigmoid({})", call.in(0)));
  call.out(fmt::format("torch.clamp({} * {} + {}, 0., 1.)", call.in(0), number_code(alpha), number_code(beta)));
}

void thresholded_relu(NodeCall& call) {
  call.out(fmt::format("torch.threshold({}, {}, 0.)", call.in(0), number_code(call.real("alpha", 1))));
}

void shrink(NodeCall& call) {
  const std::string x = call.in(0);
  const std::string lambda = number_code(call.real("lambd", 0.5));
  const std::string bias = number_code(call.real("bias", 0));
  call.out(fmt::format("torch.where({0} > {1}, {0} - {2}, torch.where({0} < -{1}, {0} + {2}, torch.zeros_like({0})))",
                       x, lambda, bias));
}

void where(NodeCall& call) {
  if (choose_integers(call)) return;
  call.out(fmt::format("torch.where({}, {}, {})", call.in(0), call.in(1), call.in(2)));
}

void isinf(NodeCall& call) {
  const std::string x = call.in(0);
  const bool negative = call.integer("detect_negative", 1) != 0;
  const bool positive = call.integer("detect_positive", 1) != 0;
  if (negative && positive) return call.out(fmt::format("torch.isinf({})", x));
  call.out(fmt::format("torch.eq({}, float('{}inf'))", x, positive ? "" : "-"));
}

void dropout(NodeCall& call) {
  const double rate = call.opset() < 12 ? call.real("ratio", 0.5) : call.has(1) ? call.number(1, "ratio") : 0.5;
  if (!(rate >= 0 && rate < 1)) call.bad(fmt::format("its ratio is {}; expected 0 up to 1", rate));
  call.out(fmt::format("torch.dropout({}, {}, self.training)", call.in(0), number_code(rate)));
}

/// Softmax and LogSoftmax. Before opset 13 they flattened the tensor into a matrix at their axis.
void softmax(NodeCall& call) {
  const std::string name = call.node().type == "Softmax" ? "softmax" : "log_softmax";
  const std::string x = call.in(0);
  if (call.opset() >= 13) return call.out(fmt::format("torch.{}({}, {})", name, x, call.integer("axis", -1)));
  const std::int64_t rank = call.required_rank(0);
  const std::int64_t axis = call.wrapped(call.integer("axis", 1), rank);
  if (axis == rank - 1) return call.out(fmt::format("torch.{}({}, {})", name, x, axis));
  call.out(fmt::format("torch.{}({}.flatten({}), -1).reshape({}.size())", name, x, axis, x));
}

}  // namespace

const Rules& elementwise_rules() {
  static const Rules rules = [] {
    Rules all{{"Relu", relu},
              {"Add", arithmetic<'+'>},
              {"Sub", arithmetic<'-'>},
              {"Mul", arithmetic<'*'>},
              {"Div", arithmetic<'/'>},
              {"Mod", modulo},
              {"Sum", variadic},
              {"Mean", variadic},
              {"Max", variadic},
              {"Min", variadic},
              {"Clip", clip},
              {"LeakyRelu", leaky_relu},
              {"Elu", elu},
              {"Celu", celu},
              {"Selu", selu},
              {"HardSigmoid", hard_sigmoid},
              {"ThresholdedRelu", thresholded_relu},
              {"Shrink", shrink},
              {"Where", where},
              {"IsInf", isinf},
              {"Dropout", dropout},
              {"Softmax", softmax},
              {"LogSoftmax", softmax}};
    for (const auto& [type, code] : unary_codes()) all.insert({type, unary});
    for (const auto& [type, code] : binary_codes()) all.insert({type, binary});
    return all;
  }();
  return rules;
}

}  // namespace lathe::compression::onnx_in
