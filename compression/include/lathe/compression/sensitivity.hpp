// Pruning by sensitivity: Han et al., "Learning both Weights and Connections for Efficient Neural Networks", 2015
// (arXiv 1506.02626).
#pragma once

#include <vector>

#include <lathe/compression/iterative.hpp>

namespace lathe::compression {

/// NNI's names and defaults.
struct SensitivityOptions {
  double sparsity_per_iter = 0.1;    ///< 0 < s < 1: most that goes of the selected layers' weights in one iteration
  double acc_drop_threshold = 0.05;  ///< >= 0: a layer's curve is followed until the metric has dropped by more
  PruningMetric base_algo = PruningMetric::L1;
  std::int64_t finetune_epochs = 1;  ///< >= 0: after each iteration
};

/// The share of what each layer has left that goes in an iteration, proportional to `ratios` (what each layer bears):
/// overall `share` of the weights goes, unless a layer would then lose more than 0.95 of what it has; all are scaled
/// down so that none does. `left` is what each layer has left of its `sizes`, from 0 to 1.
[[nodiscard]] std::vector<double> normalize_ratios(const std::vector<double>& ratios,
                                                   const std::vector<std::int64_t>& sizes,
                                                   const std::vector<double>& left, double share);

/// In each iteration every layer is pruned alone by .1, .2, … .9 of what it has left, without fine-tuning, until the
/// metric has dropped by more than the threshold. The layers are then pruned in proportion to the ratios they bore, and
/// fine-tuned. Ends when the overall sparsity is reached.
class Sensitivity final : public IterativePruner {
 public:
  explicit Sensitivity(const SensitivityOptions& options) : options_(options) {}
  [[nodiscard]] Result<IterativeResult> run(const IterativeContext& context) const override;

 private:
  SensitivityOptions options_;
};

}  // namespace lathe::compression
