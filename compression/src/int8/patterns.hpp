// What belongs together in a frozen graph: a layer and what fuses with it, and where the grid of a value stands.
#pragma once

#include <optional>
#include <vector>

#include "int8/frozen_graph.hpp"

namespace lathe::compression {

/// A node and what one kernel computes along with it.
struct Fusion {
  const torch::jit::Node* node = nullptr;        ///< convolution, linear layer or addition
  const torch::jit::Node* batch_norm = nullptr;  ///< nullptr: none
  bool relu = false;
  std::optional<double> most;                  ///< 6 for ReLU6
  std::vector<const torch::jit::Node*> inner;  ///< all others that are computed: batch norm, ReLU, grids between them
  const TensorGrid* inner_grid = nullptr;      ///< of the last grid between them
  torch::jit::Value* result = nullptr;         ///< the last value
};

/// A convolution along one, two or three axes, transposed or not, or aten::linear, with a weight that is a constant of
/// a layer.
[[nodiscard]] bool is_layer(const FrozenGraph& graph, const torch::jit::Node* node);

/// An addition of two tensors, neither of them a constant.
[[nodiscard]] bool is_addition(const torch::jit::Node* node);

/// The layer or addition with the batch normalisation (convolutions only, not transposed ones) and the ReLU that alone
/// read its value.
[[nodiscard]] Fusion fuse(const FrozenGraph& graph, const torch::jit::Node* node);

/// Moves values or picks among them, so that the output has the grid of the first input: max_pool2d, flatten, …
[[nodiscard]] bool keeps_grid(const torch::jit::Node* node);

/// aten::view to another shape. Kernels leave channels last in memory, where a view can fail and a reshape does not.
[[nodiscard]] bool is_view(const torch::jit::Node* node);

/// The first 8-bit grid of one scale that the value is put on, seen through what keeps grids; nullptr: none.
[[nodiscard]] const TensorGrid* grid_after(const FrozenGraph& graph, const torch::jit::Value* value);

/// Whether kernels can be given this grid: 8 bits or a sign, one scale.
[[nodiscard]] bool is_byte_grid(const TensorGrid& grid);

}  // namespace lathe::compression
