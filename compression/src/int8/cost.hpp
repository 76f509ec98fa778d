// Which layers are not worth an int8 kernel.
#pragma once

#include <set>
#include <unordered_map>
#include <vector>

#include "int8/frozen_graph.hpp"

namespace lathe::compression {

/// Sizes of tensors on an example, by value.
using Sizes = std::unordered_map<const torch::jit::Value*, std::vector<std::int64_t>>;

/// Linear layers that take less time in float when `batch` records run at once: whatever it computes, a quantized one
/// costs as much as a quarter of a million products. Weights that would take room worth mentioning in float do not
/// count, nor does any layer when no other would be left in int8. `example_records` is the batch that `sizes` are of.
[[nodiscard]] std::set<const torch::jit::Node*> faster_in_float(const FrozenGraph& graph, const Sizes& sizes,
                                                                std::int64_t example_records, std::int64_t batch);

}  // namespace lathe::compression
