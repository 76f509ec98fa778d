// LibTorch's optimizers, made from options; what is done to gradients before their step.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/optim/optimizer.h>

#include <lathe/compression/trainer.hpp>

namespace lathe::compression {

/// Errors: options out of range or that contradict each other.
[[nodiscard]] Result<void> check_optimizer(const OptimizerOptions& options);

[[nodiscard]] std::unique_ptr<torch::optim::Optimizer> make_optimizer(const OptimizerOptions& options,
                                                                      const std::vector<at::Tensor>& parameters);

void set_learning_rate(torch::optim::Optimizer& optimizer, double rate);

/// Each gradient element is cut to ±`most`.
void clip_values(const std::vector<at::Tensor>& parameters, double most);

/// All gradients are scaled down together if their common L2 norm is above `most` (PyTorch's clip_grad_norm_).
void clip_norm(const std::vector<at::Tensor>& parameters, double most);

}  // namespace lathe::compression
