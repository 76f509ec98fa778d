// Elementwise nonlinearities, softmax and what eval mode turns into the identity.
#include <cmath>
#include <string>

#include "onnx/rules/compositions.hpp"

namespace lathe::compression::onnx_out {
namespace {

std::string self(OpCall& call) {
  return call.in("self");
}

at::ScalarType type_of(OpCall& call) {
  return call.required("self").scalar_type();
}

template <const char* kType>
void same(OpCall& call) {
  call.out(call.add(kType, {self(call)}));
}

constexpr char kRelu[] = "Relu";
constexpr char kSelu[] = "Selu";
constexpr char kSigmoid[] = "Sigmoid";
constexpr char kTanh[] = "Tanh";
constexpr char kSoftsign[] = "Softsign";

void identity(OpCall& call) {
  call.out(self(call));
}

void dropout(OpCall& call) {
  if (call.flag("train")) throw Unsupported("it is in training mode although the model is in eval mode");
  call.out(call.in("input"));
}

/// clip(x * slope + offset, 0, 1), which is ONNX's HardSigmoid.
std::string hard_sigmoid(OpCall& call, const std::string& x) {
  return call.add("HardSigmoid", {x}, {{"alpha", 1.0 / 6}, {"beta", 0.5}});
}

void clip_to(OpCall& call, double low, double high) {
  call.out(call.add("Clip", {self(call), call.scalar(low, type_of(call)), call.scalar(high, type_of(call))}));
}

void relu6(OpCall& call) {
  clip_to(call, 0, 6);
}

void hardtanh(OpCall& call) {
  clip_to(call, call.number("min_val"), call.number("max_val"));
}

void leaky_relu(OpCall& call) {
  call.out(call.add("LeakyRelu", {self(call)}, {{"alpha", call.number("negative_slope")}}));
}

/// scale * (max(0, x) + alpha * (exp(min(0, x) * input_scale) - 1))
void elu(OpCall& call) {
  if (call.number("scale") != 1 || call.number("input_scale") != 1) {
    throw Unsupported("ONNX's Elu has no scale and no input_scale");
  }
  call.out(call.add("Elu", {self(call)}, {{"alpha", call.number("alpha")}}));
}

void celu(OpCall& call) {
  call.out(call.add("Celu", {self(call)}, {{"alpha", call.number("alpha")}}));
}

/// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel, 2016).
std::string gelu_by_tanh(OpCall& call, const std::string& x, at::ScalarType type) {
  const std::string cubed = call.add("Mul", {call.add("Mul", {x, x}), x});
  const std::string sum = call.add("Add", {x, call.add("Mul", {cubed, call.scalar(0.044715, type)})});
  const std::string tanh = call.add("Tanh", {call.add("Mul", {sum, call.scalar(std::sqrt(2 / M_PI), type)})});
  const std::string doubled = call.add("Mul", {x, call.add("Add", {tanh, call.scalar(1, type)})});
  return call.add("Mul", {doubled, call.scalar(0.5, type)});
}

void any_gelu(OpCall& call) {
  const auto mode = call.argument("approximate");
  const bool by_tanh = mode.isString() && mode.toStringRef() == "tanh";
  call.out((by_tanh ? gelu_by_tanh : gelu)(call, self(call), type_of(call)));
}

void silu(OpCall& call) {
  const std::string x = self(call);
  call.out(call.add("Mul", {x, call.add("Sigmoid", {x})}));
}

void mish(OpCall& call) {
  const std::string x = self(call);
  call.out(call.add("Mul", {x, call.add("Tanh", {call.add("Softplus", {x})})}));
}

void hardsigmoid(OpCall& call) {
  call.out(hard_sigmoid(call, self(call)));
}

void hardswish(OpCall& call) {
  const std::string x = self(call);
  if (call.opset() >= 14) return call.out(call.add("HardSwish", {x}));
  call.out(call.add("Mul", {x, hard_sigmoid(call, x)}));
}

/// log(1 + exp(beta * x)) / beta, linear where beta * x > threshold: there the difference is below what the threshold
/// of 20 and more leaves of a float.
void softplus(OpCall& call) {
  constexpr double kLinearEnough = 15;
  const double beta = call.has("beta") ? call.number("beta") : 1;
  const double threshold = call.number("threshold");
  const std::string x = self(call);
  const std::string scaled = beta == 1 ? x : call.add("Mul", {x, call.scalar(beta, type_of(call))});
  std::string soft = call.add("Softplus", {scaled});
  if (beta != 1) soft = call.add("Div", {soft, call.scalar(beta, type_of(call))});
  if (threshold < kLinearEnough) {
    soft = call.add("Where", {call.add("Greater", {scaled, call.scalar(threshold, type_of(call))}), x, soft});
  }
  call.out(soft);
}

/// min(0, x) - log(1 + exp(-|x|))
void log_sigmoid(OpCall& call) {
  call.out(call.add("Neg", {call.add("Softplus", {call.add("Neg", {self(call)})})}));
}

void hardshrink(OpCall& call) {
  call.out(call.add("Shrink", {self(call)}, {{"lambd", call.number("lambd")}, {"bias", 0.0}}));
}

void softshrink(OpCall& call) {
  const double lambda = call.number("lambd");
  call.out(call.add("Shrink", {self(call)}, {{"lambd", lambda}, {"bias", lambda}}));
}

void threshold(OpCall& call) {
  const std::string x = self(call);
  const auto type = type_of(call);
  const std::string above = call.add("Greater", {x, call.scalar(call.number("threshold"), type)});
  call.out(call.add("Where", {above, x, call.scalar(call.number("value"), type)}));
}

void tanhshrink(OpCall& call) {
  const std::string x = self(call);
  call.out(call.add("Sub", {x, call.add("Tanh", {x})}));
}

/// One slope, or one for each channel in dimension 1.
void prelu(OpCall& call) {
  const at::Tensor x = call.required("self");
  const at::Tensor weight = call.required("weight");
  std::string slope = call.name(weight);
  if (weight.numel() > 1 && x.dim() > 2) {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()) - 1, 1);
    shape[0] = weight.numel();
    slope = call.reshape(slope, call.dims(weight), fixed_sizes(shape));
  }
  call.out(call.add("PRelu", {call.name(x), slope}));
}

void glu(OpCall& call) {
  const at::Tensor x = call.required("self");
  const std::int64_t axis = call.axis("dim", x.dim());
  const std::int64_t half = call.fixed_size(x, axis) / 2;
  const auto parts = call.graph().add_many("Split", {call.name(x), call.ints({half, half})}, 2, {{"axis", axis}});
  call.out(call.add("Mul", {parts[0], call.add("Sigmoid", {parts[1]})}));
}

void softmax_as(OpCall& call, const std::string& type) {
  const at::Tensor x = call.required("self");
  const std::string input = call.cast(call.name(x), x.scalar_type(), call.result().scalar_type());
  if (x.dim() == 0) throw Unsupported("it is over a tensor without dimensions");
  call.out(call.add(type, {input}, {{"axis", call.axis("dim", x.dim())}}));
}

void softmax(OpCall& call) {
  softmax_as(call, "Softmax");
}

void log_softmax(OpCall& call) {
  softmax_as(call, "LogSoftmax");
}

}  // namespace

const RuleTable& activation_rules() {
  static const RuleTable table{{"aten::relu", same<kRelu>},
                               {"aten::relu6", relu6},
                               {"aten::hardtanh", hardtanh},
                               {"aten::leaky_relu", leaky_relu},
                               {"aten::elu", elu},
                               {"aten::celu", celu},
                               {"aten::selu", same<kSelu>},
                               {"aten::gelu", any_gelu},
                               {"aten::silu", silu},
                               {"aten::mish", mish},
                               {"aten::hardswish", hardswish},
                               {"aten::hardsigmoid", hardsigmoid},
                               {"aten::sigmoid", same<kSigmoid>},
                               {"aten::tanh", same<kTanh>},
                               {"aten::softsign", same<kSoftsign>},
                               {"aten::softplus", softplus},
                               {"aten::log_sigmoid", log_sigmoid},
                               {"aten::hardshrink", hardshrink},
                               {"aten::softshrink", softshrink},
                               {"aten::tanhshrink", tanhshrink},
                               {"aten::threshold", threshold},
                               {"aten::prelu", prelu},
                               {"aten::_prelu_kernel", prelu},
                               {"aten::glu", glu},
                               {"aten::softmax", softmax},
                               {"aten::_softmax", softmax},
                               {"aten::log_softmax", log_softmax},
                               {"aten::_log_softmax", log_softmax},
                               {"aten::dropout", dropout},
                               {"aten::alpha_dropout", dropout},
                               {"aten::feature_dropout", dropout},
                               {"aten::feature_alpha_dropout", dropout},
                               {"aten::detach", identity},
                               {"aten::contiguous", identity},
                               {"aten::clone", identity},
                               {"aten::alias", identity},
                               {"aten::positive", identity}};
  return table;
}

}  // namespace lathe::compression::onnx_out
