// Products of matrices.
#include <algorithm>
#include <cctype>
#include <string>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {
namespace {

std::string scaled(OpCall& call, const std::string& value, double factor, at::ScalarType type) {
  return factor == 1 ? value : call.add("Mul", {value, call.scalar(factor, type)});
}

/// x W^T + b. ONNX's Gemm does it for matrices, and takes the weight as it is.
void linear(OpCall& call) {
  const at::Tensor x = call.required("input");
  const at::Tensor weight = call.required("weight");
  const bool bias = call.tensor("bias").defined();
  if (x.dim() == 2 && weight.dim() == 2) {
    Names inputs{call.name(x), call.name(weight)};
    if (bias) inputs.push_back(call.in("bias"));
    return call.out(call.add("Gemm", inputs, {{"transB", 1}}));
  }
  if (weight.dim() != 2) throw Unsupported("its weight is no matrix");
  const std::string product = call.add("MatMul", {call.name(x), call.transposed(weight)});
  call.out(bias ? call.add("Add", {product, call.in("bias")}) : product);
}

void matmul(OpCall& call) {
  call.out(call.add("MatMul", {call.in("self"), call.in(call.has("other") ? "other" : "mat2")}));
}

void mv(OpCall& call) {
  call.out(call.add("MatMul", {call.in("self"), call.in("vec")}));
}

void dot(OpCall& call) {
  call.out(call.add("MatMul", {call.in("self"), call.in("tensor")}));
}

void addmm(OpCall& call) {
  const Names inputs{call.in("mat1"), call.in("mat2"), call.in("self")};
  call.out(call.add("Gemm", inputs, {{"alpha", call.number("alpha")}, {"beta", call.number("beta")}}));
}

/// beta * self + alpha * (a @ b)
void add_product(OpCall& call, const char* a, const char* b) {
  const auto type = call.result().scalar_type();
  const std::string product = call.add("MatMul", {call.in(a), call.in(b)});
  const double beta = call.number("beta");
  const std::string right = scaled(call, product, call.number("alpha"), type);
  call.out(beta == 0 ? right : call.add("Add", {scaled(call, call.in("self"), beta, type), right}));
}

void baddbmm(OpCall& call) {
  add_product(call, "batch1", "batch2");
}

void addmv(OpCall& call) {
  add_product(call, "mat", "vec");
}

void einsum(OpCall& call) {
  std::string equation = call.argument("equation").toStringRef();
  std::erase_if(equation, [](unsigned char c) { return std::isspace(c) != 0; });
  Names operands;
  for (const at::Tensor& tensor : call.tensors("tensors")) operands.push_back(call.name(tensor));
  call.out(call.add("Einsum", operands, {{"equation", equation}}));
}

}  // namespace

const RuleTable& matrix_rules() {
  static const RuleTable table{{"aten::linear", linear}, {"aten::matmul", matmul},   {"aten::mm", matmul},
                               {"aten::bmm", matmul},    {"aten::mv", mv},           {"aten::dot", dot},
                               {"aten::addmm", addmm},   {"aten::baddbmm", baddbmm}, {"aten::addmv", addmv},
                               {"aten::einsum", einsum}};
  return table;
}

}  // namespace lathe::compression::onnx_out
