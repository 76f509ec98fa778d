#include "training/optimizer.hpp"

#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

namespace lathe::compression {

Result<void> check_optimizer(const OptimizerOptions& options) {
  if (!(options.learning_rate >= 0) || !std::isfinite(options.learning_rate)) {
    return fail(fmt::format("the learning rate is {}; expected a finite number >= 0", options.learning_rate));
  }
  if (options.kind == Optimizer::Sgd && options.nesterov && (options.momentum <= 0 || options.dampening != 0)) {
    return fail("nesterov needs a momentum above 0 and a dampening of 0");
  }
  return {};
}

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const OptimizerOptions& options,
                                                        const std::vector<at::Tensor>& parameters) {
  const auto betas = std::make_tuple(options.beta1, options.beta2);
  switch (options.kind) {
    case Optimizer::Adam:
      return std::make_unique<torch::optim::Adam>(parameters, torch::optim::AdamOptions(options.learning_rate)
                                                                  .betas(betas)
                                                                  .eps(options.eps)
                                                                  .weight_decay(options.weight_decay));
    case Optimizer::AdamW:
      return std::make_unique<torch::optim::AdamW>(parameters, torch::optim::AdamWOptions(options.learning_rate)
                                                                   .betas(betas)
                                                                   .eps(options.eps)
                                                                   .weight_decay(options.weight_decay));
    case Optimizer::Sgd:
      break;
  }
  return std::make_unique<torch::optim::SGD>(parameters, torch::optim::SGDOptions(options.learning_rate)
                                                             .momentum(options.momentum)
                                                             .dampening(options.dampening)
                                                             .nesterov(options.nesterov)
                                                             .weight_decay(options.weight_decay));
}

void set_learning_rate(torch::optim::Optimizer& optimizer, double rate) {
  for (auto& group : optimizer.param_groups()) group.options().set_lr(rate);
}

void clip_values(const std::vector<at::Tensor>& parameters, double most) {
  const c10::NoGradGuard no_grad;
  for (const at::Tensor& parameter : parameters) {
    if (parameter.grad().defined()) parameter.grad().clamp_(-most, most);
  }
}

void clip_norm(const std::vector<at::Tensor>& parameters, double most) {
  constexpr double kNoDivisionByZero = 1e-6;
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> norms;
  for (const at::Tensor& parameter : parameters) {
    if (parameter.grad().defined()) norms.push_back(parameter.grad().norm().to(at::kCPU, at::kDouble));
  }
  if (norms.empty()) return;
  const double factor = most / (at::stack(norms).norm().item<double>() + kNoDivisionByZero);
  if (!(factor < 1)) return;
  for (const at::Tensor& parameter : parameters) {
    if (parameter.grad().defined()) parameter.grad().mul_(factor);
  }
}

}  // namespace lathe::compression
