// The part of the zoo that needs no Python: architectures built as TorchScript in C++, with seeded weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

namespace lathe::zoo {

struct CoreModel {
  std::string name;
  torch::jit::Module model;  ///< in eval mode
  at::Tensor example;        ///< a batch of two
};

/// ResNet-18 (11,689,512 parameters), 2 x 3 x 64 x 64, 1000 classes.
[[nodiscard]] CoreModel core_resnet18(std::uint64_t seed);

/// MobileNetV2 (3,504,872 parameters), 2 x 3 x 64 x 64, 1000 classes.
[[nodiscard]] CoreModel core_mobilenet_v2(std::uint64_t seed);

/// A vision transformer with a class token, separate q, k and v, 4 blocks of 4 heads; 2 x 3 x 32 x 32, 10 classes.
[[nodiscard]] CoreModel core_vit(std::uint64_t seed);

/// U-Net of three levels, with transposed convolutions and skips; 2 x 3 x 32 x 32, 2 classes a pixel.
[[nodiscard]] CoreModel core_unet(std::uint64_t seed);

/// All of these.
[[nodiscard]] std::vector<CoreModel> core_models(std::uint64_t seed);

}  // namespace lathe::zoo
