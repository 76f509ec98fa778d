// AutoCompress: Liu et al., "AutoCompress: An Automatic DNN Structured Pruning Framework for Ultra-High Compression
// Rates", 2019 (arXiv 1907.03141).
#pragma once

#include <lathe/compression/admm.hpp>
#include <lathe/compression/iterative.hpp>
#include <lathe/compression/simulated_annealing.hpp>

namespace lathe::compression {

/// NNI's names and defaults. The base algorithm is AutoCompress's own; those of its parts do not count.
struct AutoCompressOptions {
  std::int64_t num_iterations = 3;  ///< > 0: rounds
  PruningMetric base_algo = PruningMetric::L1;
  AnnealingOptions annealing;
  AdmmOptions admm;
};

/// Each round takes the same ratio r = 1 - (1 - s)^(1/rounds) of what the rounds before have left: simulated annealing
/// finds the layers' sparsities, ADMM prunes at them, and with a structured base speed_up cuts the result. The result's
/// model is then a new, smaller one, and its masks name the units that are zero but could not be cut.
class AutoCompress final : public IterativePruner {
 public:
  explicit AutoCompress(const AutoCompressOptions& options) : options_(options) {}
  [[nodiscard]] Result<IterativeResult> run(const IterativeContext& context) const override;

 private:
  AutoCompressOptions options_;
};

}  // namespace lathe::compression
