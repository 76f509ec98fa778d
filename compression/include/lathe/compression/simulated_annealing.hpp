// Simulated annealing of the layers' sparsities: the first part of Liu et al., "AutoCompress: An Automatic DNN
// Structured Pruning Framework for Ultra-High Compression Rates", 2019 (arXiv 1907.03141).
#pragma once

#include <optional>
#include <vector>

#include <lathe/compression/iterative.hpp>

namespace lathe::compression {

/// NNI's names and defaults.
struct AnnealingOptions {
  double start_temperature = 100;        ///< above stop_temperature
  double stop_temperature = 20;          ///< > 0
  double cool_down_rate = 0.9;           ///< 0 < r < 1: the temperature's factor from step to step
  double perturbation_magnitude = 0.35;  ///< > 0: greatest change of a layer's sparsity at the start temperature
  PruningMetric base_algo = PruningMetric::L1;
};

/// Sorts both, scales the sparsities so that overall `target` of the weights goes, and gives them in order of size:
/// larger layers become sparser. None when the sparsities prune nothing.
[[nodiscard]] std::optional<std::vector<double>> rescale_sparsities(std::vector<std::int64_t> sizes,
                                                                    std::vector<double> sparsities, double target);

/// The best sparsities found for `target`, in order of the context's layers, each with its units in mind: pruned with
/// them, the layers lose what the result's history says. Leaves the weights as they were.
struct AnnealedSparsities {
  std::vector<double> sparsities;
  std::vector<IterativeStep> history;
};
[[nodiscard]] Result<AnnealedSparsities> anneal_sparsities(const IterativeContext& context,
                                                           const AnnealingOptions& options, double target);

/// Starts from random sparsities and perturbs them at random while the temperature falls. What is better is accepted;
/// what is worse by d with probability exp(-d / temperature). Models are judged masked, without fine-tuning; the best
/// one is the result, with its masked weights set to zero.
class SimulatedAnnealing final : public IterativePruner {
 public:
  explicit SimulatedAnnealing(const AnnealingOptions& options) : options_(options) {}
  [[nodiscard]] Result<IterativeResult> run(const IterativeContext& context) const override;

 private:
  AnnealingOptions options_;
};

}  // namespace lathe::compression
