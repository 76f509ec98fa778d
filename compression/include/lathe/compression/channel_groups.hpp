// Which layers lose channels only together, and what speed-up would say to that: for people who choose what to prune.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/result.hpp>
#include <lathe/compression/speedup.hpp>

namespace lathe::compression {

enum class Cutting {
  Whole,    ///< masked channels go, with all that depends on them
  Partial,  ///< some have to stay as zeros: see `kept`
  Output,   ///< they reach the model's output, where every channel counts
  Refused,  ///< speed-up fails: see `reason`
};

/// Convolutions and linear layers that make the same channels: what is added or multiplied, or passes a depthwise
/// convolution.
struct ChannelGroup {
  std::vector<std::string> layers;  ///< in definition order
  std::int64_t channels = 0;
  std::int64_t parts = 1;  ///< so many equal parts of the channels must lose the same number (grouped convolutions)
  Cutting cutting = Cutting::Whole;
  std::string reason;              ///< Refused: operator, module and source line, and what to do
  std::vector<KeptChannels> kept;  ///< Partial: where, how many and why
};

/// Every layer that `example` reaches is in one group, groups by their first layer. What can be cut is found by trying:
/// the first channel of each part is masked, and the model sped up. Errors: a model that does not run on the example.
[[nodiscard]] Result<std::vector<ChannelGroup>> channel_groups(const torch::jit::Module& model,
                                                               const at::Tensor& example);

}  // namespace lathe::compression
