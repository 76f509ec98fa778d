// Models that our quantizers have quantized, with the simulation that a written file is held against.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/onnx_quantization.hpp>

namespace lathe::compression::test_models {

struct QuantizedCase {
  std::string name;
  torch::jit::Module saved;  ///< with the weights that the quantization writes
  OnnxQuantization quantization;
  std::function<c10::IValue(const at::Tensor&)> simulation;
  std::vector<at::Tensor> inputs;
};

struct QuantizedCaseMaker {
  std::string name;
  std::function<QuantizedCase()> make;
};

/// LeNet and a ResNet, each after every quantizer.
[[nodiscard]] std::vector<QuantizedCaseMaker> quantized_cases();

}  // namespace lathe::compression::test_models
