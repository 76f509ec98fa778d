// A model with masks multiplied in, and the checks that the masks fit it.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/mask.hpp>
#include <lathe/compression/result.hpp>

#include "speedup/channel_trace.hpp"

namespace lathe::compression {

/// Masks by parameter path. Errors: a layer or parameter that the model does not have, a mask of another shape, a mask
/// that leaves a layer without a single weight.
[[nodiscard]] Result<PathMasks> check_masks(const torch::jit::Module& model, const Masks& masks);

/// A copy in eval mode whose parameters are multiplied by their masks.
[[nodiscard]] torch::jit::Module masked_copy(const torch::jit::Module& model, const PathMasks& masks);

}  // namespace lathe::compression
