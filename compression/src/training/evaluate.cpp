#include <lathe/compression/evaluate.hpp>

#include <algorithm>
#include <exception>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "training/eval_mode.hpp"

namespace lathe::compression {
namespace {

constexpr double kSumTolerance = 1e-4;
constexpr double kSmallestProbability = 1e-12;

std::string shape_text(const at::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

/// LibTorch's messages end in stack traces; the part that tells something is the last line before C++ frames.
std::string short_reason(const std::exception& thrown) {
  std::string text = thrown.what();
  const auto runtime = text.rfind("RuntimeError: ");
  if (runtime != std::string::npos) text = text.substr(runtime + 14);
  return text.substr(0, text.find('\n'));
}

Result<at::Tensor> forward(const Network& network, const at::Tensor& inputs) {
  try {
    const c10::IValue output = network.forward(inputs);
    if (!output.isTensor()) return fail(fmt::format("the model returns {}; expected one tensor", output.tagKind()));
    return output.toTensor();
  } catch (const std::exception& thrown) {
    return fail(fmt::format("the model failed on inputs of shape {}: {}", shape_text(inputs), short_reason(thrown)));
  }
}

}  // namespace

OutputKind output_kind(const at::Tensor& outputs) {
  const c10::NoGradGuard no_grad;
  if (outputs.min().item<double>() < 0) return OutputKind::Scores;
  const bool sums_to_one = (outputs.sum(1) - 1).abs().max().item<double>() < kSumTolerance;
  return sums_to_one ? OutputKind::Probabilities : OutputKind::Scores;
}

at::Tensor classification_loss(const at::Tensor& outputs, const at::Tensor& targets, OutputKind kind) {
  if (kind == OutputKind::Probabilities) return at::nll_loss_nd(outputs.clamp_min(kSmallestProbability).log(), targets);
  return at::cross_entropy_loss(outputs, targets);
}

Result<at::Tensor> run_classifier(const Network& network, const Batch& batch) {
  auto outputs = forward(network, batch.inputs);
  if (!outputs) return outputs;
  Shape expected = batch.targets.sizes().vec();
  if (outputs->dim() >= 2) expected.insert(expected.begin() + 1, outputs->size(1));
  if (outputs->sizes() != c10::IntArrayRef(expected) || !outputs->is_floating_point()) {
    return fail(
        fmt::format("the model's output for {} records has shape {}; expected one score for each class, [{}, "
                    "classes]",
                    batch.inputs.size(0), shape_text(*outputs), batch.inputs.size(0)));
  }
  const auto largest = batch.targets.max().item<std::int64_t>();
  if (largest >= outputs->size(1)) {
    return fail(fmt::format("target {} is out of range: the model tells {} classes apart, 0 to {}", largest,
                            outputs->size(1), outputs->size(1) - 1));
  }
  return outputs;
}

Result<Evaluation> evaluate(const Network& network, const Dataset& data, std::int64_t batch_size) {
  const c10::NoGradGuard no_grad;
  const EvalMode eval_mode(network.model());
  double right = 0;
  double answers = 0;
  double loss = 0;
  for (std::int64_t begin = 0; begin < data.size(); begin += batch_size) {
    const Batch batch = data.slice(begin, std::min(begin + batch_size, data.size()));
    auto outputs = run_classifier(network, batch);
    if (!outputs) return tl::unexpected(outputs.error());
    const auto count = static_cast<double>(batch.targets.numel());
    right += static_cast<double>(outputs->argmax(1).eq(batch.targets).sum().item<std::int64_t>());
    loss += classification_loss(*outputs, batch.targets, output_kind(*outputs)).item<double>() * count;
    answers += count;
  }
  return Evaluation{right / answers, loss / answers};
}

Result<bool> behaves_as_in_training(torch::jit::Module model, const at::Tensor& inputs) {
  const c10::NoGradGuard no_grad;
  const EvalMode eval_mode(model);
  const auto together = forward(model, inputs);
  if (!together) return tl::unexpected(together.error());
  const auto again = forward(model, inputs);
  if (!again) return tl::unexpected(again.error());
  const std::int64_t half = inputs.size(0) / 2;
  const auto alone = forward(model, inputs.narrow(0, 0, half));
  if (!alone) return tl::unexpected(alone.error());
  constexpr double relative = 1e-3;
  const double limit = relative * std::max(1.0, together->abs().max().item<double>());
  const auto differs = [&](const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<double>() > limit;
  };
  return differs(*together, *again) || differs(together->narrow(0, 0, half), *alone);
}

}  // namespace lathe::compression
