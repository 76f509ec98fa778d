// The LeNet of the pruning tutorials, built as TorchScript without Python.
#pragma once

#include <cstdint>

#include <torch/csrc/jit/api/module.h>

namespace lathe::examples {

/// conv1 1→20 5x5, relu, max-pool 2; conv2 20→50 5x5, relu, max-pool 2; fc1 800→500, relu; fc2 500→10; log-softmax.
/// Takes N x 1 x 28 x 28; 431,080 parameters, drawn like PyTorch's defaults from `seed`.
[[nodiscard]] torch::jit::Module make_lenet(std::uint64_t seed);

}  // namespace lathe::examples
