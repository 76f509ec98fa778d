// The two kinds of pruner: single weights, and whole filters.
#pragma once

#include <string>
#include <vector>

#include <lathe/compression/pruner.hpp>

#include "pruning/filters.hpp"

namespace lathe::compression {

/// Single weights by magnitude, of the whole tensor or balanced over blocks of it.
class LevelPruner final : public Pruner {
 public:
  explicit LevelPruner(std::vector<std::int64_t> balance_gran) : balance_gran_(std::move(balance_gran)) {}

  [[nodiscard]] bool structured() const override { return false; }
  [[nodiscard]] const std::vector<std::string>& supported_types() const override { return any_type_; }
  [[nodiscard]] const std::vector<std::string>& default_types() const override { return default_op_types(); }
  [[nodiscard]] Result<void> check(const Layer& layer) const override;
  [[nodiscard]] std::int64_t units(const Layer& layer) const override { return layer.weight.numel(); }
  [[nodiscard]] std::int64_t count(const Layer& layer, double sparsity) const override;
  [[nodiscard]] at::Tensor metric(const Layer& layer) const override;
  [[nodiscard]] Mask mask_of_units(const Layer& layer, const at::Tensor& kept) const override;
  [[nodiscard]] at::Tensor units_of_mask(const Layer& layer, const Mask& mask) const override;
  [[nodiscard]] Mask mask(const Layer& layer, double sparsity, const Mask* current) const override;

 private:
  std::vector<std::string> any_type_;
  std::vector<std::int64_t> balance_gran_;  ///< empty: not balanced
};

/// Whole filters by one of the structured metrics.
class FilterPruner final : public Pruner {
 public:
  FilterPruner(PruningMetric metric, PrunerKnowledge knowledge, std::int64_t round_to);

  [[nodiscard]] bool structured() const override { return true; }
  [[nodiscard]] const std::vector<std::string>& supported_types() const override { return supported_; }
  [[nodiscard]] const std::vector<std::string>& default_types() const override { return defaults_; }
  [[nodiscard]] Result<void> check(const Layer& layer) const override;
  [[nodiscard]] std::int64_t units(const Layer& layer) const override { return layout(layer).filters; }
  [[nodiscard]] std::int64_t count(const Layer& layer, double sparsity) const override;
  [[nodiscard]] at::Tensor metric(const Layer& layer) const override;
  [[nodiscard]] Mask mask_of_units(const Layer& layer, const at::Tensor& kept) const override;
  [[nodiscard]] at::Tensor units_of_mask(const Layer& layer, const Mask& mask) const override;

 private:
  [[nodiscard]] std::int64_t groups(const Layer& layer) const;
  [[nodiscard]] FilterLayout layout(const Layer& layer) const { return filter_layout(layer, groups(layer)).value(); }

  PruningMetric metric_;
  PrunerKnowledge knowledge_;
  std::int64_t round_to_;
  std::vector<std::string> supported_;
  std::vector<std::string> defaults_;
};

/// Values as the selection reads them: float or double, contiguous, on the CPU.
[[nodiscard]] at::Tensor selectable(const at::Tensor& tensor);

}  // namespace lathe::compression
