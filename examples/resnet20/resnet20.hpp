// ResNet-20, the CIFAR variant of He et al., "Deep Residual Learning for Image Recognition", 2015 (arXiv 1512.03385),
// built as TorchScript without Python.
#pragma once

#include <cstdint>

#include <torch/csrc/jit/api/module.h>

namespace lathe::examples {

/// A 3x3 stem (conv1, bn1) of 16 channels; layer1, layer2 and layer3 of three basic blocks each with 16, 32 and 64
/// channels, the latter two halving height and width; global average pool; fc to 10 logits. Names are torchvision's:
/// layer2.0.conv1, layer2.0.bn1, …. Where the shape changes, the shortcut is a 1x1 convolution with batch norm
/// (downsample.0, downsample.1; the paper's option B), so that it can be pruned too.
/// Takes N x 1 x H x W; 272,186 parameters, He initialisation from `seed`.
[[nodiscard]] torch::jit::Module make_resnet20(std::uint64_t seed);

}  // namespace lathe::examples
