// What the operators that are no layers cost, by the rules of CountMode::Full.
#pragma once

#include <cstdint>

#include <torch/csrc/jit/ir/ir.h>

#include "graph/program.hpp"

namespace lathe::compression {

/// Of the whole batch; 0 for operators that are not counted.
[[nodiscard]] std::int64_t operations_of(const torch::jit::Node* node, const Values& inputs, const Values& outputs);

}  // namespace lathe::compression
