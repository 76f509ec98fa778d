// Runs a flat graph node by node and shows every node's inputs and outputs to an observer.
#pragma once

#include <functional>
#include <vector>

#include <lathe/compression/flat_graph.hpp>

namespace lathe::compression {

using Values = std::vector<c10::IValue>;

/// Called after each node; tensors keep their identity (TensorImpl) from node to node.
using Observer = std::function<void(const torch::jit::Node* node, const Values& inputs, const Values& outputs)>;

/// Runs `forward` on one input; its other arguments take their defaults. Throws what the operators throw, and
/// std::runtime_error for a node that only TorchScript's own interpreter can run.
[[nodiscard]] c10::IValue interpret(const FlatGraph& flat, const at::Tensor& input, const Observer& observer);

}  // namespace lathe::compression
