// How much each channel of a dependency group matters, by all weights that make, scale or read it: Fang et al.,
// "DepGraph: Towards Any Structural Pruning", CVPR 2023.
#pragma once

#include <vector>

#include <lathe/compression/pruner.hpp>

#include "pruning/channel_sets.hpp"

namespace lathe::compression {

/// One number a channel of the set, >= 0. Each member of the set (ChannelSet::weights) says what the channel matters to
/// it: the sum of |w|^p over the weights that belong to it there, p = 1 for L1 and 2 for L2; for Fpgm the sum of their
/// Euclidean distances to those of the member's other channels. `reduction` makes one number of them, over the members
/// that have the channel.
[[nodiscard]] std::vector<double> group_importance(const ChannelSet& set, PruningMetric metric,
                                                   GroupReduction reduction);

}  // namespace lathe::compression
