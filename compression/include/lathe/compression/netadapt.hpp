// NetAdapt: Yang et al., "NetAdapt: Platform-Aware Neural Network Adaptation for Mobile Applications", 2018 (arXiv
// 1804.03230), with weights as the resource.
#pragma once

#include <lathe/compression/iterative.hpp>

namespace lathe::compression {

/// NNI's names and defaults.
struct NetAdaptOptions {
  double sparsity_per_iteration = 0.05;  ///< 0 < s < 1: share of the selected layers' weights that goes in one step
  PruningMetric base_algo = PruningMetric::L1;
  std::int64_t finetune_epochs = 1;  ///< >= 0: of every candidate
};

/// In each step every layer in turn gives up the step's weights in whole units, is fine-tuned shortly from where the
/// last step ended, and is judged; the best candidate stays, with its weights. Where no layer has so many weights left
/// the step is halved. Ends when the overall sparsity is reached.
class NetAdapt final : public IterativePruner {
 public:
  explicit NetAdapt(const NetAdaptOptions& options) : options_(options) {}
  [[nodiscard]] Result<IterativeResult> run(const IterativeContext& context) const override;

 private:
  NetAdaptOptions options_;
};

}  // namespace lathe::compression
