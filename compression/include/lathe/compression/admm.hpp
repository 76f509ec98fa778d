// ADMM: Zhang et al., "A Systematic DNN Weight Pruning Framework using Alternating Direction Method of Multipliers",
// 2018 (arXiv 1804.03294).
#pragma once

#include <memory>
#include <vector>

#include <lathe/compression/compressor.hpp>
#include <lathe/compression/iterative.hpp>

namespace lathe::compression {

/// NNI's names and defaults.
struct AdmmOptions {
  std::int64_t num_iterations = 30;       ///< > 0
  std::int64_t epochs_per_iteration = 5;  ///< > 0
  double row = 1e-4;                      ///< 0 < row <= 1; a layer's own rho has the last word
  PruningMetric base_algo = PruningMetric::L1;
  /// Of the whole training; the rest is the context's fine-tuning.
  OptimizerOptions optimizer = {.kind = Optimizer::Adam, .learning_rate = 1e-3, .weight_decay = 5e-5};
};

/// Draws the weights W of each layer towards a pruned copy Z while the loss is minimised, U being the scaled dual:
///   before each step of the optimizer   W <- W - row (W - Z + U)
///   after each iteration                Z <- pruned(W + U), U <- U + W - Z
/// with Z = W and U = 0 at the start. At the end the layers are pruned at their targets.
class AdmmTraining final : public Compressor {
 public:
  /// The layers' tensors are the model's own.
  AdmmTraining(const AdmmOptions& options, const std::vector<SelectedLayer>& layers);

  [[nodiscard]] Result<void> update_epoch(std::int64_t epoch) override;
  void after_backward() override;
  [[nodiscard]] Result<void> finish() override;

  /// One update of Z and U; update_epoch and finish call it.
  void update_projections();

  /// Those of the pruned layers; empty until finish.
  [[nodiscard]] const Masks& masks() const { return masks_; }
  [[nodiscard]] const at::Tensor& projection(std::size_t layer) const { return states_.at(layer).z; }
  [[nodiscard]] const at::Tensor& dual(std::size_t layer) const { return states_.at(layer).u; }

 private:
  struct State {
    SelectedLayer selected;
    double row = 0;
    at::Tensor z;
    at::Tensor u;
  };

  AdmmOptions options_;
  std::unique_ptr<Pruner> pruner_;
  std::vector<State> states_;
  Masks masks_;
};

/// Prunes each layer at its own target after num_iterations * epochs_per_iteration epochs of such training.
class Admm final : public IterativePruner {
 public:
  explicit Admm(const AdmmOptions& options) : options_(options) {}
  [[nodiscard]] Result<IterativeResult> run(const IterativeContext& context) const override;

 private:
  AdmmOptions options_;
};

}  // namespace lathe::compression
