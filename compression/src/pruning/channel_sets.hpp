// Which layers make the same channels: those that are added, multiplied or follow each other depthwise.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/config_list.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// A weight that has a part in what channels matter.
struct ChannelWeight {
  at::Tensor weight;      ///< the model's own
  std::int64_t axis = 0;  ///< that counts the positions
  /// More than 1: axis 1 of a weight whose rows are in as many groups, each with positions of its own.
  std::int64_t groups = 1;
  std::vector<std::int64_t> channels;  ///< of the set, by position, groups one after the other; -1: of another set
};

struct ChannelSet {
  std::vector<std::size_t> layers;  ///< indices of the selected layers, in their order
  /// Of each of these layers, which of the set's channels its filters make. Mostly 0, 1, 2 …; not where some of the
  /// channels come out of a concatenation.
  std::vector<std::vector<std::int64_t>> channels;
  std::int64_t size = 0;  ///< channels in all
  /// As many equal parts of the channels must lose the same number: the least common multiple of the groups of the
  /// convolutions that make or read them. 1 where the parts cannot be told.
  std::int64_t groups = 1;
  /// All that make, scale or read a channel of the set, selected or not: weights of layers along their filters or what
  /// they read, and those of batch norms.
  std::vector<ChannelWeight> weights;
};

/// Each selected layer is in one set, alone when nothing else makes its channels. `filters` counts those of each layer.
/// Throws what the operators throw, and std::runtime_error when the model cannot be traced. Errors: those of FlatGraph.
[[nodiscard]] Result<std::vector<ChannelSet>> channel_sets(const torch::jit::Module& model,
                                                           const std::vector<SelectedLayer>& layers,
                                                           const std::vector<std::int64_t>& filters,
                                                           const at::Tensor& example);

}  // namespace lathe::compression
