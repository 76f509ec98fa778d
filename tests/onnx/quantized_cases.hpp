// Models that our quantizers have quantized, with the simulation that a written file is held against.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
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

/// A model after the quantizers of that name (empty: after every one); see quantized_cases.cpp. It is trained a little
/// first, to tell ten patterns from each other. `input` is the shape of a sample, with a batch in front.
[[nodiscard]] std::vector<QuantizedCaseMaker> quantized_cases_of(const std::string& name, torch::jit::Module model,
                                                                 const std::vector<std::int64_t>& input,
                                                                 const std::set<std::string>& quantizers = {});

/// LeNet and a ResNet, each after every quantizer.
[[nodiscard]] std::vector<QuantizedCaseMaker> quantized_cases();

}  // namespace lathe::compression::test_models
