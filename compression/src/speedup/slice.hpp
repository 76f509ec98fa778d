// Cuts the parameters of an unshared model.
#pragma once

#include <unordered_map>

#include <torch/csrc/jit/api/module.h>

#include "speedup/plan.hpp"

namespace lathe::compression {

/// Tensors of a module tree in place of others, by identity.
using Replacements = std::unordered_map<const c10::TensorImpl*, at::Tensor>;

/// Puts tensors in place of others wherever the modules hold them, lists included.
void replace_tensors(torch::jit::Module& model, const Replacements& replacements);

/// What the plan makes of the model's tensors: those that it changes, new ones that share no memory.
[[nodiscard]] Replacements cut_tensors(const torch::jit::Module& model, const Plan& plan);

/// Class constants that count channels (out_channels, groups, num_features …) follow the weights.
void update_constants(torch::jit::Module& model, const Plan& plan);

}  // namespace lathe::compression
