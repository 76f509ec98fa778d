// Integers of shapes: they stay expressions of sizes, so that batch and image may have other sizes than the file was
// written with. Each function writes the node's output and says so, or says that the node is not about such integers.
#pragma once

#include <string>

#include "onnx/import/node_call.hpp"

namespace lathe::compression::onnx_in {

/// One element with another; a list of one goes with each element of the other. `operation` is `+`, `-`, `*`, `//`,
/// `max` or `min`.
[[nodiscard]] bool combine_integers(NodeCall& call, const std::string& operation);

/// All of a list: `+`, `*`, `max` or `min`.
[[nodiscard]] bool reduce_integers(NodeCall& call, const std::string& operation);

/// Exporters that write PyTorch's expand compare shapes with -1: no size is negative, so the answer is known.
[[nodiscard]] bool equal_integers(NodeCall& call);

/// One of two, where the condition is known.
[[nodiscard]] bool choose_integers(NodeCall& call);

}  // namespace lathe::compression::onnx_in
