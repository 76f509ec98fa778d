// What an operator of a layer is called with, as far as it is known before it runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "int8/frozen_graph.hpp"

namespace lathe::compression {

/// What a layer computes.
struct LayerKind {
  std::size_t axes = 0;  ///< that a convolution moves along: 1, 2 or 3; 0 of a linear layer
  bool transposed = false;

  [[nodiscard]] bool is_linear() const { return axes == 0; }
  /// linear, conv2d, conv_transpose2d, …, as in quantized::conv2d.
  [[nodiscard]] std::string kernel() const;
};

/// None: no operator of a layer, or a convolution of which it is not known whether it is transposed.
[[nodiscard]] std::optional<LayerKind> layer_kind(const torch::jit::Node* node);

/// None when it is not constant, or there is no such argument.
[[nodiscard]] c10::IValue known(const torch::jit::Node* node, const char* name);

/// One number an axis, also where a single one stands for all.
[[nodiscard]] std::optional<std::vector<std::int64_t>> by_axis(const torch::jit::Node* node, const char* name,
                                                               std::size_t axes);

/// Why a layer (see is_layer) cannot run in int8; none: it can.
[[nodiscard]] std::optional<std::string> obstacle(const FrozenGraph& graph, const torch::jit::Node* node);

}  // namespace lathe::compression
