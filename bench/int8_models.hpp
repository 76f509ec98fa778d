// What the benches of int8 measure: LeNet, ResNet-18 and MobileNetV2 with random weights, and any model in 8 bits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/int8.hpp>
#include <lathe/compression/onnx_quantization.hpp>

namespace lathe::bench {

struct Subject {
  std::string name;
  torch::jit::Module model;
  std::vector<std::int64_t> shape;  ///< of a batch of one
};

[[nodiscard]] std::vector<Subject> subjects();

struct InEightBits {
  compression::Int8Model int8;
  compression::OnnxQuantization grids;  ///< of the same quantizer, for a file with Q and DQ nodes
};

/// Weights and inputs of all layers by the observer, calibrated on random records, for batches of `batch`. Ends the
/// program where that cannot be.
[[nodiscard]] InEightBits in_eight_bits(const torch::jit::Module& model, std::vector<std::int64_t> shape,
                                        std::int64_t batch);

}  // namespace lathe::bench
