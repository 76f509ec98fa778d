// Masks: which weights of which layers are kept.
#pragma once

#include <map>
#include <string>

#include <ATen/core/Tensor.h>

namespace lathe::compression {

/// 1 where a weight is kept, 0 where it is pruned; same shape and dtype as the tensor it masks. Masks of whole filters
/// may be expanded views of one number a filter, which costs no memory: clone one before writing into it.
struct Mask {
  at::Tensor weight;
  at::Tensor bias;  ///< undefined when the layer has no bias
};

/// By layer name.
using Masks = std::map<std::string, Mask>;

}  // namespace lathe::compression
