// Nodes that are instructions of TorchScript's interpreter and not registered operators: lists, tuples, attributes, …
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include "graph/program.hpp"

namespace lathe::compression {

using InstructionFunction = Values (*)(const torch::jit::Node* node, const Values& inputs);

/// Nullptr for any other kind.
[[nodiscard]] InstructionFunction find_instruction(torch::jit::Symbol kind);

}  // namespace lathe::compression
