// Pruners: from weights and a sparsity to a mask.
//
// One rule for all of them: of n units, trunc(n * sparsity) (the product in double) with the smallest metric go,
// exactly that many; among equals the earlier index goes first. Units that a current mask has pruned go before all
// others, so masks only grow.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <lathe/compression/config_list.hpp>
#include <lathe/compression/mask.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

enum class PruningMetric {
  Level,  ///< |w| of each weight (unstructured)
  L1,     ///< L1 norm of each filter: Li et al., "Pruning Filters for Efficient ConvNets", 2016 (arXiv 1608.08710)
};

/// Stateless; decides which units of one layer go.
class Pruner {
 public:
  [[nodiscard]] static std::unique_ptr<Pruner> create(PruningMetric metric);
  virtual ~Pruner() = default;

  /// True when whole filters go, so that speed-up can make the model smaller.
  [[nodiscard]] virtual bool structured() const = 0;

  /// Class names that it can prune and that `default` stands for; empty `supported_types` means any layer with a
  /// weight.
  [[nodiscard]] virtual const std::vector<std::string>& supported_types() const = 0;
  [[nodiscard]] virtual const std::vector<std::string>& default_types() const = 0;

  /// The mask of `layer` at `sparsity` (0 <= s < 1). `current` is the mask it has now, or nullptr.
  [[nodiscard]] virtual Mask mask(const Layer& layer, double sparsity, const Mask* current) const = 0;
};

/// trunc(units * sparsity), never all of them.
[[nodiscard]] std::int64_t pruned_count(std::int64_t units, double sparsity);

/// Checks that `pruner` can work on every selected layer: its type, and that its weights are finite numbers.
[[nodiscard]] Result<void> check_layers(const Pruner& pruner, const std::vector<SelectedLayer>& layers);

}  // namespace lathe::compression
