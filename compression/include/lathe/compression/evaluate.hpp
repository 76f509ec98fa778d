// How good a model is: accuracy and mean loss over a data set.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/loss.hpp>
#include <lathe/compression/result.hpp>
#include <lathe/compression/tapped_model.hpp>

namespace lathe::compression {

/// Runs the model on the device where it is; what it throws and what does not fit a loss of `batch.targets` become
/// errors with the input's shape.
[[nodiscard]] Result<at::Tensor> run_model(const Network& network, const Batch& batch, LossKind loss);

/// Of a model that tells classes apart.
[[nodiscard]] Result<at::Tensor> run_classifier(const Network& network, const Batch& batch);

struct Evaluation {
  /// Fraction of right answers: the class of the largest output, or, with BceWithLogits, of all logits those whose sign
  /// tells whether the target is above 1/2. None with Mse.
  std::optional<double> accuracy;
  /// Fraction of records whose class is among the five largest outputs; none below six classes.
  std::optional<double> top5_accuracy;
  double loss = 0;  ///< mean over all targets, without label smoothing
};

/// In eval mode and without gradients; the mode of each of the model's modules is put back.
[[nodiscard]] Result<Evaluation> evaluate(const Network& network, const Dataset& data, std::int64_t batch_size,
                                          LossKind loss = LossKind::CrossEntropy);

/// Whether eval mode leaves the model random or dependent on the rest of the batch, as in a model that was traced in
/// training mode: dropout and batch statistics are then fixed parts of it. `inputs` has at least two records.
[[nodiscard]] Result<bool> behaves_as_in_training(torch::jit::Module model, const at::Tensor& inputs);

}  // namespace lathe::compression
