// Makes masks: of each layer on its own, of layers that share a total, of layers that share channels.
#pragma once

#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/mask.hpp>
#include <lathe/compression/pruner.hpp>

#include "pruning/channel_sets.hpp"

namespace lathe::compression {

/// Sets the pools that the options ask for: none unless thresholds are global, one for each sparsity where the metric
/// is global by itself.
void settle_pools(const PrunerOptions& options, std::vector<SelectedLayer>& layers);

/// `pruner` and `layers`, whose pools are settled, must outlive it.
class MaskGroups {
 public:
  /// Each layer on its own.
  MaskGroups(const Pruner& pruner, const std::vector<SelectedLayer>& layers);

  /// Errors: a total that no layer's max_sparsity allows, a model whose channels cannot be traced.
  [[nodiscard]] static Result<MaskGroups> create(const PrunerOptions& options, const Pruner& pruner,
                                                 const std::vector<SelectedLayer>& layers,
                                                 const torch::jit::Module& model, const at::Tensor& example);

  /// Whether other masks than the last are wanted, `sparsities` being those of the layers.
  [[nodiscard]] bool due(const std::vector<double>& sparsities) const;

  /// Makes the masks that are due. Errors: weights that are not finite numbers.
  [[nodiscard]] Result<void> refresh(const std::vector<double>& sparsities, Masks& masks);

 private:
  struct Group {
    std::vector<std::size_t> layers;
    bool pool = false;    ///< they share a total
    ChannelSet channels;  ///< what they share else, when there are several
  };

  MaskGroups(const PrunerOptions& options, const Pruner& pruner, const std::vector<SelectedLayer>& layers,
             std::vector<Group> groups);

  [[nodiscard]] static Result<std::vector<Group>> pools(const std::vector<SelectedLayer>& layers);
  [[nodiscard]] static Result<std::vector<Group>> sets(const Pruner& pruner, const std::vector<SelectedLayer>& layers,
                                                       const torch::jit::Module& model, const at::Tensor& example);

  [[nodiscard]] bool due(const Group& group, const std::vector<double>& sparsities) const;
  void mask(const Group& group, const std::vector<double>& sparsities, Masks& masks) const;
  void mask_alone(std::size_t layer, double sparsity, Masks& masks) const;
  void mask_pool(const Group& group, double sparsity, Masks& masks) const;
  void mask_channels(const Group& group, const std::vector<double>& sparsities, Masks& masks) const;
  /// What each channel of the group matters, and less than anything what `masks` prune already.
  [[nodiscard]] std::vector<double> channel_importance(const Group& group, const Masks& masks) const;
  /// What each unit matters, and less than anything what `masks` prune already.
  [[nodiscard]] at::Tensor standing(std::size_t layer, const Masks& masks) const;

  PrunerOptions options_;
  const Pruner* pruner_;
  const std::vector<SelectedLayer>* layers_;
  std::vector<Group> groups_;
  std::vector<double> reached_;  ///< sparsity that each layer's mask was made for; -1: it has none
};

/// Whether every weight is a number. Errors name the layer.
[[nodiscard]] Result<void> check_numbers(const Layer& layer);

}  // namespace lathe::compression
