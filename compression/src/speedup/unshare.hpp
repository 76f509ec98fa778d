// Gives every module instance a class of its own, so that a method of one can be edited without editing its siblings'.
#pragma once

#include <torch/csrc/jit/api/module.h>

namespace lathe::compression {

/// A module tree with the same tensors, attributes, constants and methods, and one class for each instance. A module
/// that stands in two places of the tree still does. Functions are copied too; those that say sizes, once a call.
/// Where methods use classes that are no modules, these stay those of the original, which must outlive the result
/// (saving and loading makes it independent). Throws std::runtime_error for what cannot be copied.
[[nodiscard]] torch::jit::Module unshare(const torch::jit::Module& model);

/// Whether methods use classes that are no modules.
[[nodiscard]] bool uses_other_classes(const torch::jit::Module& model);

}  // namespace lathe::compression
