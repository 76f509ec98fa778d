// Which layers make the same channels: those that are added, multiplied or follow each other depthwise.
#pragma once

#include <cstdint>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/config_list.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

struct ChannelSet {
  std::vector<std::size_t> layers;  ///< indices of the selected layers, in their order
  /// Of each of these layers, which of the set's channels its filters make. Mostly 0, 1, 2 …; not where some of the
  /// channels come out of a concatenation.
  std::vector<std::vector<std::int64_t>> channels;
  std::int64_t size = 0;  ///< channels in all
  /// As many equal parts of the channels must lose the same number: the least common multiple of the groups of the
  /// convolutions that make or read them. 1 where the parts cannot be told.
  std::int64_t groups = 1;
};

/// Each selected layer is in one set, alone when nothing else makes its channels. `filters` counts those of each layer.
/// Throws what the operators throw, and std::runtime_error when the model cannot be traced. Errors: those of FlatGraph.
[[nodiscard]] Result<std::vector<ChannelSet>> channel_sets(const torch::jit::Module& model,
                                                           const std::vector<SelectedLayer>& layers,
                                                           const std::vector<std::int64_t>& filters,
                                                           const at::Tensor& example);

}  // namespace lathe::compression
