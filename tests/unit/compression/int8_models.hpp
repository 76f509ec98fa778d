// What the tests of int8 models share: calibrated quantizations, and what became of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/int8.hpp>
#include <lathe/compression/quantization.hpp>

#include "quantizing.hpp"

namespace lathe::compression::test_models {

constexpr QuantSpec kByte{8, QuantDtype::Uint, QuantScheme::PerTensorAffine};
constexpr QuantSpec kSymmetric{8, QuantDtype::Int, QuantScheme::PerTensorSymmetric};
constexpr QuantSpec kByChannel{8, QuantDtype::Int, QuantScheme::PerChannelSymmetric};

/// At such a batch no layer is too small to run in int8.
constexpr std::int64_t kLargeBatch = 1'000'000;

/// Standard normal records of four classes.
[[nodiscard]] Dataset random_data(const std::vector<std::int64_t>& record, std::int64_t records = 32);

/// Every convolution and linear layer gets this target.
[[nodiscard]] std::vector<QuantizedLayer> all_layers(const torch::jit::Module& model, const QuantTarget& target);

/// A model that was quantized and calibrated on `data`, ready to become int8.
[[nodiscard]] Quantized calibrated(QuantizerKind kind, const torch::jit::Module& model,
                                   std::vector<QuantizedLayer> layers, const Dataset& data);

/// Fails the test if there is no int8 model.
[[nodiscard]] Int8Model converted(const Quantized& net, const Dataset& data,
                                  const Int8Options& options = {2, 16, {}, kLargeBatch});

/// Operators of the outermost block and how often they occur.
[[nodiscard]] std::map<std::string, int> operators_of(const torch::jit::Module& model);

/// Largest |int8 - simulation| over the largest |simulation|.
[[nodiscard]] double relative_difference(const Quantized& net, const Int8Model& made, const at::Tensor& input);
/// The mean difference, likewise.
[[nodiscard]] double mean_relative_difference(const Quantized& net, const Int8Model& made, const at::Tensor& input);

}  // namespace lathe::compression::test_models
