// Ranges of activations that no quantizer looked at, from data.
#pragma once

#include <unordered_map>
#include <vector>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/int8.hpp>
#include <lathe/compression/quant_grid.hpp>
#include <lathe/compression/result.hpp>

#include "int8/frozen_graph.hpp"

namespace lathe::compression {

using Ranges = std::unordered_map<const torch::jit::Value*, ValueRange>;

/// Values that int8 kernels may take or give and that get no grid from a quantizer, in order of the graph.
[[nodiscard]] std::vector<torch::jit::Value*> values_without_grid(const FrozenGraph& graph);

/// Of each value the range that 256 levels render with the least squared error, over the first batches of the data.
/// Error: values that are not finite.
[[nodiscard]] Result<Ranges> observe(const FrozenGraph& graph, const std::vector<torch::jit::Value*>& values,
                                     const Dataset& data, const Int8Options& options);

}  // namespace lathe::compression
