// Cuts parameters and buffers down to the channels that stay, and folds the constants of those that go.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include "speedup/plan.hpp"

namespace lathe::compression {

/// Folds first (they need the whole weights), then cuts, then brings the class constants that count channels
/// (`in_channels`, `groups`, `num_features` …) in line. `model` has one class an instance.
void apply_slices(torch::jit::Module& model, const Plan& plan);

}  // namespace lathe::compression
