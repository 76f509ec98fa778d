// What an operator of a layer is called with, as far as it is known before it runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "int8/frozen_graph.hpp"

namespace lathe::compression {

[[nodiscard]] bool is_linear(const torch::jit::Node* node);

/// None when it is not constant, or there is no such argument.
[[nodiscard]] c10::IValue known(const torch::jit::Node* node, const char* name);

/// One number an axis, also where a single one stands for both.
[[nodiscard]] std::optional<std::vector<std::int64_t>> both_axes(const torch::jit::Node* node, const char* name);

/// Why a layer (see is_layer) cannot run in int8; none: it can.
[[nodiscard]] std::optional<std::string> obstacle(const FrozenGraph& graph, const torch::jit::Node* node);

}  // namespace lathe::compression
