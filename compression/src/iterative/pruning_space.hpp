// What can be taken from the selected layers: whole units (weights or filters) of each, all but one, and what that
// makes overall.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <lathe/compression/pruner.hpp>

namespace lathe::compression {

/// Of each layer, in the space's order.
using UnitCounts = std::vector<std::int64_t>;

class PruningSpace {
 public:
  /// Errors: a metric that needs more than weights, those of check_layers.
  [[nodiscard]] static Result<PruningSpace> create(PruningMetric base, std::vector<SelectedLayer> layers);

  [[nodiscard]] std::size_t size() const { return layers_.size(); }
  [[nodiscard]] const SelectedLayer& layer(std::size_t i) const { return layers_[i]; }
  [[nodiscard]] const std::string& name(std::size_t i) const { return layers_[i].layer.name; }
  [[nodiscard]] bool structured() const { return pruner_->structured(); }

  [[nodiscard]] std::int64_t units(std::size_t i) const { return units_[i]; }
  [[nodiscard]] std::int64_t weights(std::size_t i) const { return layers_[i].layer.weight.numel(); }
  [[nodiscard]] std::int64_t unit_weights(std::size_t i) const { return weights(i) / units_[i]; }
  [[nodiscard]] UnitCounts most() const;  ///< all but one
  [[nodiscard]] std::int64_t total_weights() const;

  /// The mean of the layers' targets, weighted by size.
  [[nodiscard]] double target() const;
  /// trunc(total_weights * sparsity).
  [[nodiscard]] std::int64_t goal(double sparsity) const;
  /// The error tells how far each layer goes.
  [[nodiscard]] Result<void> check_reachable(double sparsity) const;

  [[nodiscard]] std::int64_t pruned_weights(const UnitCounts& counts) const;
  [[nodiscard]] double sparsity(const UnitCounts& counts) const;
  /// Of each layer that is pruned at all, by name.
  [[nodiscard]] std::map<std::string, double> sparsities(const UnitCounts& counts) const;

  /// trunc(units * sparsity) of each layer.
  [[nodiscard]] UnitCounts truncated(const std::vector<double>& sparsities) const;
  /// Adds units until `goal` weights are pruned or every layer has reached its `limits`: first one to each layer, those
  /// that truncation cut most first (the earlier among equals), then as many as are needed to the largest layers.
  void top_up(UnitCounts& counts, const std::vector<double>& sparsities, const UnitCounts& limits,
              std::int64_t goal) const;

  /// The mask of one layer with so many of its units pruned, by its weights as they are. `current` as in Pruner.
  [[nodiscard]] Mask mask(std::size_t i, std::int64_t count, const Mask* current) const;
  /// Of all layers that are pruned; units masked in `current` stay so.
  [[nodiscard]] Masks masks(const UnitCounts& counts, const Masks& current) const;

 private:
  PruningSpace(std::unique_ptr<Pruner> pruner, std::vector<SelectedLayer> layers);

  std::unique_ptr<Pruner> pruner_;
  std::vector<SelectedLayer> layers_;
  UnitCounts units_;
};

/// A sparsity at which trunc(units * sparsity) is exactly `count`, whatever the rounding.
[[nodiscard]] double sparsity_of(std::int64_t count, std::int64_t units);

}  // namespace lathe::compression
