// What training makes smaller: losses of classification, regression and multi-label models, and distillation.
#pragma once

#include <ATen/core/Tensor.h>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

enum class LossKind {
  CrossEntropy,  ///< of logits, log-probabilities or probabilities [B, C, …], whichever they are; targets are classes
  Nll,           ///< outputs are log-probabilities [B, C, …]; targets are classes
  Mse,           ///< mean squared error; targets have the shape of the outputs (or theirs without a last 1)
  BceWithLogits,  ///< binary cross-entropy of logits; targets are 0 to 1 and of the shape of the outputs, likewise
};

struct LossOptions {
  LossKind kind = LossKind::CrossEntropy;
  double label_smoothing = 0;  ///< >= 0, < 1; share of the target spread over all classes (Szegedy et al., 2016)
};

/// Whether targets are class indices: CrossEntropy and Nll.
[[nodiscard]] bool tells_classes_apart(LossKind kind);

/// What the rows of a model's output [B, C, …] are.
enum class OutputKind {
  Scores,         ///< logits or log-probabilities
  Probabilities,  ///< softmax was applied
};

/// Told numerically: probabilities are >= 0 and sum to 1 over dimension 1, in every row.
[[nodiscard]] OutputKind output_kind(const at::Tensor& outputs);

/// Mean cross-entropy. Log-softmax leaves log-probabilities as they are (their exponentials sum to 1), so a model that
/// ends in it needs no other loss than one that ends in logits; probabilities are given their logarithm first.
[[nodiscard]] at::Tensor classification_loss(const at::Tensor& outputs, const at::Tensor& targets, OutputKind kind);

/// Whether `outputs` and `targets` go together. Errors: a shape, with both; a class that the outputs do not have;
/// targets that are numbers where classes are expected; BceWithLogits: a target outside [0, 1].
[[nodiscard]] Result<void> check_outputs(const at::Tensor& outputs, const at::Tensor& targets, LossKind kind);

/// The mean over all targets; outputs and targets fit and are on one device.
[[nodiscard]] at::Tensor loss_of(const at::Tensor& outputs, const at::Tensor& targets, const LossOptions& options);

/// temperature² KL(teacher / temperature || student / temperature), the mean over all rows: Hinton et al., "Distilling
/// the Knowledge in a Neural Network", 2015 (arXiv 1503.02531). Outputs [B, C, …] may be of any kind.
[[nodiscard]] at::Tensor distillation_loss(const at::Tensor& student, const at::Tensor& teacher, double temperature);

}  // namespace lathe::compression
