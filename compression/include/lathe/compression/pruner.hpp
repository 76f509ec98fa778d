// Pruners: from what is known about a layer and a sparsity to its mask.
//
// One rule for all of them: of n units (weights or filters), trunc(n * sparsity) (the product in double) with the
// smallest metric go, exactly that many and never all; among equals the earlier index goes first. Units that a current
// mask has pruned go before all others and whatever the count, so masks only grow. A filter's bias goes with it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <lathe/compression/config_list.hpp>
#include <lathe/compression/filter_statistics.hpp>
#include <lathe/compression/mask.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

enum class PruningMetric {
  Level,           ///< |w| of each weight (unstructured); a bias goes when its whole row has gone
  L1,              ///< L1 norm of each filter: Li et al., "Pruning Filters for Efficient ConvNets" (arXiv 1608.08710)
  L2,              ///< L2 norm of each filter
  Fpgm,            ///< sum of a filter's distances to all others: He et al., FPGM (arXiv 1811.00250)
  Slim,            ///< |gamma| of batch norms, one threshold over all of them: Liu et al. (arXiv 1708.06519)
  TaylorFo,        ///< (w · dL/dw)^2 of each filter: Molchanov et al., CVPR 2019
  Apoz,            ///< share of a filter's activations that are not zero: Hu et al. (arXiv 1607.03250)
  MeanActivation,  ///< mean of a filter's activations: Molchanov et al. (arXiv 1611.06440)
};

/// As configurations spell it: level, l1, l2, fpgm, slim, taylorfo, apoz, mean_activation.
[[nodiscard]] std::string_view name_of(PruningMetric metric);

/// Which layers' masks are made together.
enum class PruningMode {
  Normal,           ///< each layer on its own
  Global,           ///< one threshold over the layers of an entry with total_sparsity (SparsityTarget::pool)
  DependencyAware,  ///< layers whose channels are added or multiplied get common channels, which speed-up can cut
  Group,  ///< the same, by the weights of all that make, scale and read a channel: Fang et al., DepGraph (CVPR 2023)
};

/// How the importances that a channel has in the members of its group become one.
enum class GroupReduction { Mean, Sum, Max };

/// Arguments of NNI's pruners, with its names and defaults.
struct PrunerOptions {
  PruningMetric metric = PruningMetric::Level;
  /// Slim is global always; neither Slim nor Level is dependency-aware; Group is of L1, L2 and Fpgm.
  PruningMode mode = PruningMode::Normal;
  /// Level only: every block of this shape (its last dimension is the weight's last) is pruned to the same sparsity;
  /// each entry divides the weight's size there. Empty: not balanced. Yao et al., "Balanced Sparsity" (arXiv
  /// 1811.00206).
  std::vector<std::int64_t> balance_gran = {};
  std::int64_t sparsifying_training_epochs = 10;  ///< Slim only, >= 0
  double scale = 1e-4;                            ///< Slim only, >= 0: of sign(gamma), which is added to its gradient
  std::int64_t sparsifying_training_batches = 1;  ///< TaylorFo, Apoz and MeanActivation only, > 0
  Activation activation = Activation::Relu;       ///< Apoz and MeanActivation only
  bool global_sort = false;  ///< TaylorFo only: one threshold over all layers of the same sparsity, as in Global
  GroupReduction group_reduction = GroupReduction::Mean;  ///< mode Group only
  /// Fewer filters go, so that each layer keeps a multiple of so many, or all. Not Level. At least 1.
  std::int64_t round_to = 1;
};

/// Errors name the option, its value and what was expected.
[[nodiscard]] Result<void> check_options(const PrunerOptions& options);

/// Whether the metric reads what running the model on data has told.
[[nodiscard]] bool needs_statistics(PruningMetric metric);

/// Whether the metric can be had of any weights along any axis, so that a whole group has it: L1, L2 and Fpgm.
[[nodiscard]] bool has_group_importance(PruningMetric metric);

/// What a pruner has to be told beside the weights.
struct PrunerKnowledge {
  std::shared_ptr<const FilterStatistics> statistics;  ///< of TaylorFo, Apoz and MeanActivation
  std::map<std::string, std::int64_t> groups;          ///< of transposed convolutions without bias; others show theirs
};

/// Decides which units of one layer go. Stateless but for what it was told.
class Pruner {
 public:
  [[nodiscard]] static std::unique_ptr<Pruner> create(const PrunerOptions& options, PrunerKnowledge knowledge);
  /// With default options; enough for metrics of weights alone.
  [[nodiscard]] static std::unique_ptr<Pruner> create(PruningMetric metric);
  virtual ~Pruner() = default;

  /// True when whole filters go, so that speed-up can make the model smaller.
  [[nodiscard]] virtual bool structured() const = 0;

  /// Class names that it can prune and that `default` stands for; empty `supported_types` means any layer with a
  /// weight. Transposed convolutions are supported but no default.
  [[nodiscard]] virtual const std::vector<std::string>& supported_types() const = 0;
  [[nodiscard]] virtual const std::vector<std::string>& default_types() const = 0;

  /// Whether the layer's weight and bias have shapes that can be pruned. What follows may rely on it.
  [[nodiscard]] virtual Result<void> check(const Layer& layer) const = 0;

  /// How many the layer has.
  [[nodiscard]] virtual std::int64_t units(const Layer& layer) const = 0;
  /// How many of them go at `sparsity`.
  [[nodiscard]] virtual std::int64_t count(const Layer& layer, double sparsity) const;

  /// How much each unit matters, >= 0, float or double [units]. Throws std::logic_error when statistics that it needs
  /// were not gathered.
  [[nodiscard]] virtual at::Tensor metric(const Layer& layer) const = 0;

  /// Between masks and units: 1 for a unit that stays, 0 for one that goes, [units].
  [[nodiscard]] virtual Mask mask_of_units(const Layer& layer, const at::Tensor& kept) const = 0;
  [[nodiscard]] virtual at::Tensor units_of_mask(const Layer& layer, const Mask& mask) const = 0;

  /// The mask of `layer` at `sparsity` (0 <= s < 1). `current` is the mask it has now, or nullptr.
  [[nodiscard]] virtual Mask mask(const Layer& layer, double sparsity, const Mask* current) const;
};

/// trunc(units * sparsity), never all of them.
[[nodiscard]] std::int64_t pruned_count(std::int64_t units, double sparsity);

/// At most `pruned`, so that a multiple of `round_to` of the units stays; 0 where no multiple would.
[[nodiscard]] std::int64_t rounded_count(std::int64_t units, std::int64_t pruned, std::int64_t round_to);

/// Checks that `pruner` can work on every selected layer: its type and shapes, and that its weights are finite numbers.
[[nodiscard]] Result<void> check_layers(const Pruner& pruner, const std::vector<SelectedLayer>& layers);

/// Checks that at the targets, once reached, at least one unit of one layer goes. Not part of check_layers, because in
/// a space of sparsities the lowest may well prune nothing.
[[nodiscard]] Result<void> check_reachable(const Pruner& pruner, const std::vector<SelectedLayer>& layers);

}  // namespace lathe::compression
