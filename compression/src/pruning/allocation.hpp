// How a common sparsity is shared out: over the layers of a pool, over the channels of a set of layers.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "pruning/channel_sets.hpp"

namespace lathe::compression {

/// Metric of a unit that is pruned already; all others are 0 or more.
constexpr double kPrunedUnit = -1;

struct PoolMember {
  at::Tensor metric;  ///< float or double [units], contiguous, on the CPU
  std::int64_t weights_per_unit = 1;
  std::int64_t most = 0;  ///< units that may go
};

/// How many units of each layer go, so that one threshold for all of them prunes `weights` weights (NNI v2's global
/// mode): units go by metric, equals by layer and index, the one that holds the last of the weights included; a layer
/// that has lost its most is passed over. Fewer weights go when all have.
[[nodiscard]] std::vector<std::int64_t> share_out(const std::vector<PoolMember>& pool, std::int64_t weights);

/// What each channel of the set matters: the sum of the layers' metrics, kPrunedUnit where one of them is.
[[nodiscard]] std::vector<double> summed_metrics(const ChannelSet& set, const std::vector<at::Tensor>& metrics);

/// How a share of a set's channels is to go.
struct ChannelShare {
  double sparsity = 0;             ///< of each of the set's groups
  std::vector<std::int64_t> most;  ///< filters that each layer may lose
  std::int64_t round_to = 1;       ///< of the channels a multiple of so many stays, or all
};

/// Which channels of the set stay, double [size] of ones and zeros: trunc(size / groups * sparsity) of the smallest
/// importance go in each group, or fewer for `round_to`, equals by index.
[[nodiscard]] at::Tensor common_channels(const ChannelSet& set, const std::vector<double>& importance,
                                         const ChannelShare& share);

}  // namespace lathe::compression
