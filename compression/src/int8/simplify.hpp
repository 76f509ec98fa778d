// What makes a frozen graph short: everything that is known before it runs is computed and gone.
#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// Branches on constants are decided, nodes that nobody needs are removed.
void fold_constants(std::shared_ptr<torch::jit::Graph>& graph);

/// Takes away the first input, the module. Error: something still needs it.
[[nodiscard]] Result<void> close_over_inputs(const std::shared_ptr<torch::jit::Graph>& graph);

/// The same once ranks are known; changes in place become new tensors where nobody can tell.
void simplify(std::shared_ptr<torch::jit::Graph>& graph);

/// The first node that writes into a tensor; nullptr: none.
[[nodiscard]] const torch::jit::Node* find_mutation(const torch::jit::Block* block);

}  // namespace lathe::compression
