// Operators of PyTorch that are several of ONNX, where more than one rule needs them.
#pragma once

#include <string>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {

struct LayerNorm {
  at::ScalarType type;
  std::int64_t dimensions;  ///< the last ones, which are normalised over
  at::Tensor weight;        ///< undefined: none
  at::Tensor bias;          ///< undefined: none
  double eps;
};

/// One LayerNormalization from opset 17 on.
[[nodiscard]] std::string layer_norm(OpCall& call, const std::string& x, const LayerNorm& norm);

/// x * Phi(x)
[[nodiscard]] std::string gelu(OpCall& call, const std::string& x, at::ScalarType type);

}  // namespace lathe::compression::onnx_out
