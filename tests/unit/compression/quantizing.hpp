// What the tests of quantizers share: one-layer models with given weights, and quantizations of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/quantization.hpp>

namespace lathe::compression::test_models {

/// `fc`, a Linear without bias whose weight is `rows`.
[[nodiscard]] torch::jit::Module linear_net(const at::Tensor& rows);

/// `act`, a ReLU, behind a Linear `fc` of weight 1 that is there to be trained.
[[nodiscard]] torch::jit::Module relu_net();

/// Linear layers `fc1` and `fc2` with a ReLU between them: from 4 inputs to 3 classes.
[[nodiscard]] torch::jit::Module small_net();

/// What small_net can learn: which of the first three coordinates is the largest.
[[nodiscard]] Dataset three_classes(std::int64_t count = 256);

[[nodiscard]] at::Tensor vector_of(const std::vector<float>& values);
[[nodiscard]] std::vector<float> values_of(const at::Tensor& tensor);

/// The layer of this name as the configuration would select it; its weight is undefined for one without.
[[nodiscard]] QuantizedLayer quantized(const torch::jit::Module& model, const std::string& name, QuantTarget target,
                                       const std::string& type_without_weight = "ReLU");

/// A quantization and the model that it taps.
struct Quantized {
  torch::jit::Module model;
  std::shared_ptr<TappedModel> tapped;
  std::unique_ptr<Quantization> quantization;

  [[nodiscard]] at::Tensor run(const at::Tensor& input) const { return tapped->forward(input).toTensor(); }
};

/// The model is in training mode; throws the error's message where there is one.
[[nodiscard]] Quantized quantize(QuantizerKind kind, torch::jit::Module model, std::vector<QuantizedLayer> layers,
                                 const QuantizerOptions& options = {});

/// The weight that `fc` of linear_net(rows) computes with.
[[nodiscard]] std::vector<float> quantized_weight(QuantizerKind kind, const at::Tensor& rows, const QuantSpec& spec);

/// The message of the error; empty if there is none.
[[nodiscard]] std::string error_of(QuantizerKind kind, torch::jit::Module model, std::vector<QuantizedLayer> layers);

}  // namespace lathe::compression::test_models
