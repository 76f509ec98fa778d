// Models that are written as ONNX and run elsewhere: whole networks, and one small model for each operator.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

namespace lathe::compression::test_models {

struct OnnxModel {
  std::string name;
  std::function<torch::jit::Module()> make;
  std::vector<std::int64_t> input;  ///< shape of the example
  std::int64_t tokens = 0;          ///< more than 0: the input is int64, below this number
  bool dynamic_batch = true;
};

/// `batch` samples of the model's input; values depend on the name and the seed alone.
[[nodiscard]] at::Tensor onnx_input(const OnnxModel& model, std::int64_t batch, std::uint64_t seed);

[[nodiscard]] const std::vector<OnnxModel>& onnx_networks();
[[nodiscard]] const std::vector<OnnxModel>& onnx_operators();

/// Convolutions, batch normalisations and a residual connection; input N x 3 x 32 x 32.
[[nodiscard]] torch::jit::Module resnet(std::uint64_t seed = 0);

}  // namespace lathe::compression::test_models
