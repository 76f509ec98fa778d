// The LeNet of the pruning tutorials, built as TorchScript without Python.
#pragma once

#include <cstdint>

#include <torch/csrc/jit/api/module.h>

namespace lathe::examples {

enum class BatchNorm { No, Yes };

/// conv1 1→20 5x5, relu, max-pool 2; conv2 20→50 5x5, relu, max-pool 2; fc1 800→500, relu; fc2 500→10; log-softmax.
/// With batch norm, bn1 and bn2 sit between the convolutions and their relu.
/// Takes N x 1 x 28 x 28; 431,080 parameters (431,220), drawn like PyTorch's defaults from `seed`.
[[nodiscard]] torch::jit::Module make_lenet(std::uint64_t seed, BatchNorm batch_norm = BatchNorm::No);

}  // namespace lathe::examples
