#include <lathe/compression/loss.hpp>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::compression {
namespace {

constexpr double kSumTolerance = 1e-4;
constexpr double kSmallestProbability = 1e-12;
constexpr std::int64_t kIgnoreNothing = -100;

std::string shape_text(const at::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

/// What differs from logits by a constant of each row at most.
at::Tensor log_scores(const at::Tensor& outputs) {
  if (output_kind(outputs) == OutputKind::Scores) return outputs;
  return outputs.clamp_min(kSmallestProbability).log();
}

Result<void> check_classes(const at::Tensor& outputs, const at::Tensor& targets) {
  if (targets.is_floating_point()) {
    return fail("targets are numbers; expected class indices, or a loss of numbers (mse, bceWithLogits)");
  }
  Shape expected = targets.sizes().vec();
  if (outputs.dim() >= 2) expected.insert(expected.begin() + 1, outputs.size(1));
  if (outputs.sizes() != c10::IntArrayRef(expected) || !outputs.is_floating_point()) {
    return fail(
        fmt::format("the model's output for {} records has shape {}; expected one score for each class, [{}, "
                    "classes]",
                    targets.size(0), shape_text(outputs), targets.size(0)));
  }
  const auto largest = targets.max().item<std::int64_t>();
  if (largest < outputs.size(1)) return {};
  return fail(fmt::format("target {} is out of range: the model tells {} classes apart, 0 to {}", largest,
                          outputs.size(1), outputs.size(1) - 1));
}

/// [B] goes with [B, 1] too.
bool have_one_shape(const at::Tensor& outputs, const at::Tensor& targets) {
  if (outputs.sizes() == targets.sizes()) return true;
  const bool has_last_one = outputs.dim() > 0 && outputs.size(-1) == 1;
  return has_last_one && outputs.sizes().slice(0, static_cast<std::size_t>(outputs.dim() - 1)) == targets.sizes();
}

Result<void> check_numbers(const at::Tensor& outputs, const at::Tensor& targets, LossKind kind) {
  if (!have_one_shape(outputs, targets) || !outputs.is_floating_point()) {
    return fail(fmt::format("the model's output has shape {} and the targets {}; expected equal shapes",
                            shape_text(outputs), shape_text(targets)));
  }
  if (kind != LossKind::BceWithLogits) return {};
  const double smallest = targets.min().item<double>();
  const double largest = targets.max().item<double>();
  if (smallest >= 0 && largest <= 1) return {};
  return fail(fmt::format("target {} is out of range; bceWithLogits takes 0 to 1", smallest < 0 ? smallest : largest));
}

at::Tensor class_loss(const at::Tensor& outputs, const at::Tensor& targets, const LossOptions& options) {
  const bool is_nll = options.kind == LossKind::Nll;
  if (options.label_smoothing == 0) {
    return is_nll ? at::nll_loss_nd(outputs, targets) : classification_loss(outputs, targets, output_kind(outputs));
  }
  const double smoothing = options.label_smoothing;
  if (!is_nll) {
    return at::cross_entropy_loss(log_scores(outputs), targets, {}, at::Reduction::Mean, kIgnoreNothing, smoothing);
  }
  return (1 - smoothing) * at::nll_loss_nd(outputs, targets) - smoothing * outputs.mean();
}

}  // namespace

bool tells_classes_apart(LossKind kind) {
  return kind == LossKind::CrossEntropy || kind == LossKind::Nll;
}

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

Result<void> check_outputs(const at::Tensor& outputs, const at::Tensor& targets, LossKind kind) {
  return tells_classes_apart(kind) ? check_classes(outputs, targets) : check_numbers(outputs, targets, kind);
}

at::Tensor loss_of(const at::Tensor& outputs, const at::Tensor& targets, const LossOptions& options) {
  switch (options.kind) {
    case LossKind::Mse:
      return at::mse_loss(outputs, targets.view_as(outputs).to(outputs.scalar_type()));
    case LossKind::BceWithLogits:
      return at::binary_cross_entropy_with_logits(outputs, targets.view_as(outputs).to(outputs.scalar_type()));
    case LossKind::CrossEntropy:
    case LossKind::Nll:
      break;
  }
  return class_loss(outputs, targets, options);
}

at::Tensor distillation_loss(const at::Tensor& student, const at::Tensor& teacher, double temperature) {
  const at::Tensor wanted = at::log_softmax(log_scores(teacher) / temperature, 1);
  const at::Tensor found = at::log_softmax(log_scores(student) / temperature, 1);
  const auto rows = static_cast<double>(student.numel()) / static_cast<double>(student.size(1));
  const at::Tensor divergence = at::kl_div(found, wanted, at::Reduction::Sum, /*log_target=*/true) / rows;
  return divergence * (temperature * temperature);
}

}  // namespace lathe::compression
