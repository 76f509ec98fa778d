// A model's parameters and buffers as they were, to be put back after something was tried.
#pragma once

#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

namespace lathe::compression {

class Snapshot {
 public:
  /// Remembers the model's state and shares its tensors.
  explicit Snapshot(const torch::jit::Module& model);

  /// Into the tensors that were remembered, in place.
  void restore() const;
  /// Remembers what the tensors hold now instead.
  void retake();

 private:
  struct Saved {
    at::Tensor tensor;  ///< the model's own
    at::Tensor values;
  };

  std::vector<Saved> saved_;
};

}  // namespace lathe::compression
