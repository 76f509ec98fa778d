// Eval mode for as long as a scope lasts.
#pragma once

#include <utility>

#include <torch/csrc/jit/api/module.h>

namespace lathe::compression {

/// Puts the model into eval mode, and back into training mode at the end if it was in it.
class EvalMode {
 public:
  explicit EvalMode(torch::jit::Module model) : model_(std::move(model)), was_training_(model_.is_training()) {
    model_.eval();
  }
  ~EvalMode() {
    if (was_training_) model_.train();
  }
  EvalMode(const EvalMode&) = delete;
  EvalMode& operator=(const EvalMode&) = delete;

 private:
  torch::jit::Module model_;
  bool was_training_;
};

}  // namespace lathe::compression
