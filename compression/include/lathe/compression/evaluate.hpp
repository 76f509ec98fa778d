// How good a classifier is: accuracy and mean loss over a data set.
#pragma once

#include <cstdint>
#include <string>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/result.hpp>
#include <lathe/compression/tapped_model.hpp>

namespace lathe::compression {

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

/// Runs the model; what it throws and what does not fit a classifier of `targets` become errors with the input's shape.
[[nodiscard]] Result<at::Tensor> run_classifier(const Network& network, const Batch& batch);

struct Evaluation {
  double accuracy = 0;  ///< fraction of right answers
  double loss = 0;      ///< mean cross-entropy
};

/// In eval mode and without gradients; the model's mode is put back.
[[nodiscard]] Result<Evaluation> evaluate(const Network& network, const Dataset& data, std::int64_t batch_size);

/// Whether eval mode leaves the model random or dependent on the rest of the batch, as in a model that was traced in
/// training mode: dropout and batch statistics are then fixed parts of it. `inputs` has at least two records.
[[nodiscard]] Result<bool> behaves_as_in_training(torch::jit::Module model, const at::Tensor& inputs);

}  // namespace lathe::compression
