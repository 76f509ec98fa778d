#include "onnx/rules/compositions.hpp"

#include <cmath>

#include <ATen/Functions.h>

namespace lathe::compression::onnx_out {
namespace {

std::string composed_layer_norm(OpCall& call, const std::string& x, const LayerNorm& norm) {
  std::vector<std::int64_t> axes;
  for (std::int64_t i = norm.dimensions; i > 0; --i) axes.push_back(-i);
  const auto mean_of = [&](const std::string& value) { return call.add("ReduceMean", {value}, {{"axes", axes}}); };
  const std::string centred = call.add("Sub", {x, mean_of(x)});
  const std::string variance = mean_of(call.add("Mul", {centred, centred}));
  const std::string deviation = call.add("Sqrt", {call.add("Add", {variance, call.scalar(norm.eps, norm.type)})});
  std::string y = call.add("Div", {centred, deviation});
  if (norm.weight.defined()) y = call.add("Mul", {y, call.name(norm.weight)});
  return norm.bias.defined() ? call.add("Add", {y, call.name(norm.bias)}) : y;
}

}  // namespace

std::string layer_norm(OpCall& call, const std::string& x, const LayerNorm& norm) {
  constexpr int kFirstOpset = 17;
  if (call.opset() < kFirstOpset || !norm.weight.defined()) return composed_layer_norm(call, x, norm);
  Names inputs{x, call.name(norm.weight)};
  if (norm.bias.defined()) inputs.push_back(call.name(norm.bias));
  return call.add("LayerNormalization", inputs, {{"axis", -norm.dimensions}, {"epsilon", norm.eps}});
}

std::string gelu(OpCall& call, const std::string& x, at::ScalarType type) {
  const std::string erf = call.add("Erf", {call.add("Div", {x, call.scalar(std::sqrt(2.0), type)})});
  const std::string doubled = call.add("Mul", {x, call.add("Add", {erf, call.scalar(1, type)})});
  return call.add("Mul", {doubled, call.scalar(0.5, type)});
}

}  // namespace lathe::compression::onnx_out
