// Eval mode for as long as a scope lasts.
#pragma once

#include <utility>
#include <vector>

#include <torch/csrc/jit/api/module.h>

namespace lathe::compression {

/// Puts the model into eval mode, and at the end each module back into training mode that was in it.
class EvalMode {
 public:
  explicit EvalMode(torch::jit::Module model) {
    for (const torch::jit::Module& module : model.modules()) {
      if (module.hasattr("training") && module.is_training()) training_.push_back(module);
    }
    model.eval();
  }
  ~EvalMode() {
    for (torch::jit::Module& module : training_) module.setattr("training", true);
  }
  EvalMode(const EvalMode&) = delete;
  EvalMode& operator=(const EvalMode&) = delete;

 private:
  std::vector<torch::jit::Module> training_;
};

}  // namespace lathe::compression
