#include <lathe/compression/evaluate.hpp>

#include <algorithm>
#include <exception>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <lathe/compression/device.hpp>

#include "training/batches.hpp"
#include "training/eval_mode.hpp"

namespace lathe::compression {
namespace {

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

/// Sums over batches.
class Tally {
 public:
  explicit Tally(LossKind kind) : kind_(kind) {}

  void add(const at::Tensor& outputs, const at::Tensor& targets) {
    const auto count = static_cast<double>(targets.numel());
    loss_ += loss_of(outputs, targets, {kind_, 0}).item<double>() * count;
    answers_ += count;
    if (tells_classes_apart(kind_)) add_classes(outputs, targets);
    if (kind_ == LossKind::BceWithLogits) {
      right_ += count_true((outputs > 0).eq(targets.view_as(outputs) > 0.5));
    }
  }

  [[nodiscard]] Evaluation result() const {
    Evaluation evaluation;
    if (kind_ != LossKind::Mse) evaluation.accuracy = right_ / answers_;
    if (has_top5_) evaluation.top5_accuracy = right_of_five_ / answers_;
    evaluation.loss = loss_ / answers_;
    return evaluation;
  }

 private:
  void add_classes(const at::Tensor& outputs, const at::Tensor& targets) {
    right_ += count_true(outputs.argmax(1).eq(targets));
    has_top5_ = outputs.size(1) > kTop;
    if (has_top5_) right_of_five_ += count_true(std::get<1>(outputs.topk(kTop, 1)).eq(targets.unsqueeze(1)));
  }

  [[nodiscard]] static double count_true(const at::Tensor& answers) {
    return static_cast<double>(answers.sum().item<std::int64_t>());
  }

  static constexpr std::int64_t kTop = 5;

  LossKind kind_;
  double right_ = 0;
  double right_of_five_ = 0;
  double answers_ = 0;
  double loss_ = 0;
  bool has_top5_ = false;
};

}  // namespace

Result<at::Tensor> run_model(const Network& network, const Batch& batch, LossKind loss) {
  auto outputs = forward(network, batch.inputs.to(device_of(network.model())));
  if (!outputs) return outputs;
  if (auto fits = check_outputs(*outputs, batch.targets, loss); !fits) return tl::unexpected(fits.error());
  return outputs;
}

Result<at::Tensor> run_classifier(const Network& network, const Batch& batch) {
  return run_model(network, batch, LossKind::CrossEntropy);
}

Result<Evaluation> evaluate(const Network& network, const Dataset& data, std::int64_t batch_size, LossKind loss) {
  const c10::NoGradGuard no_grad;
  const EvalMode eval_mode(network.model());
  std::vector<std::int64_t> all(static_cast<std::size_t>(data.size()));
  std::iota(all.begin(), all.end(), 0);
  Batches batches(data, std::move(all), {batch_size, false, {}, {}});
  Tally tally(loss);
  while (const auto batch = batches.next()) {
    if (!*batch) return tl::unexpected(batch->error());
    const auto outputs = run_model(network, **batch, loss);
    if (!outputs) return tl::unexpected(outputs.error());
    tally.add(*outputs, (*batch)->targets.to(outputs->device()));
  }
  return tally.result();
}

Result<bool> behaves_as_in_training(torch::jit::Module model, const at::Tensor& inputs) {
  const c10::NoGradGuard no_grad;
  const EvalMode eval_mode(model);
  const auto together = forward(model, inputs.to(device_of(model)));
  if (!together) return tl::unexpected(together.error());
  const auto again = forward(model, inputs.to(device_of(model)));
  if (!again) return tl::unexpected(again.error());
  const std::int64_t half = inputs.size(0) / 2;
  const auto alone = forward(model, inputs.narrow(0, 0, half).to(device_of(model)));
  if (!alone) return tl::unexpected(alone.error());
  constexpr double relative = 1e-3;
  const double limit = relative * std::max(1.0, together->abs().max().item<double>());
  const auto differs = [&](const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<double>() > limit;
  };
  return differs(*together, *again) || differs(together->narrow(0, 0, half), *alone);
}

}  // namespace lathe::compression
