// A pruning in progress: the masks of a model, refreshed epoch by epoch, and kept in force while it trains.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/compressor.hpp>
#include <lathe/compression/mask.hpp>
#include <lathe/compression/pruner.hpp>
#include <lathe/compression/schedule.hpp>
#include <lathe/compression/trainer.hpp>

namespace lathe::compression {

class MaskGroups;

/// Sets masked weights and biases of `model` to zero, in place.
void apply_masks(const torch::jit::Module& model, const Masks& masks);

/// Prunes the layers of one model in place: create, extend_over, sparsify, then train with it. The layers' tensors must
/// be the model's own (from layers_of). Not thread-safe; the trainer drives it.
class Pruning final : public Compressor {
 public:
  /// No schedule prunes once, at epoch 0. `example`, one input batch, is needed where layers depend on each other
  /// (PruningMode::DependencyAware and Group) only. The rules of the modes are NNI v2's:
  /// - Global: of the weights of all layers of a pool trunc(weights * sparsity) go, by metric, in whole units (the one
  ///   that holds the last of them included), but of no layer more than its max_sparsity.
  /// - DependencyAware: layers that make the same channels (as speed-up sees them) lose the same ones: the smallest by
  ///   the sum of their metrics, as many as the smallest of their sparsities asks for, equally many in each group of a
  ///   grouped convolution. Layers that were not selected are not asked.
  /// Group is Torch-Pruning's: the same channels of the same sets go, by an importance that all members of the group
  /// have a part in, selected or not: layers that make the channel (over its filter), layers that read it (over the
  /// weights that do) and batch norms (over its weight). A member's part is the sum of |w|^p, p = 1 of L1 and 2 of L2,
  /// or of Fpgm the sum of distances to its other channels; group_reduction makes one of them. Channels of different
  /// groups are not compared, so nothing is normalised.
  /// Slim (and TaylorFo with global_sort) share one total among all layers of the same sparsity.
  /// Errors: those of check_options, check_schedule, check_layers and check_reachable; a total above the max_sparsity
  /// of every layer; a model whose channels cannot be traced.
  [[nodiscard]] static Result<std::unique_ptr<Pruning>> create(const PrunerOptions& options,
                                                               std::vector<SelectedLayer> layers,
                                                               std::optional<Schedule> schedule, const Network& network,
                                                               const at::Tensor& example = {});

  /// Each layer on its own by a metric of weights alone, at once or with AGP; `schedule` gives the defaults.
  Pruning(std::unique_ptr<Pruner> pruner, std::vector<SelectedLayer> layers, std::optional<AgpSchedule> schedule);
  ~Pruning() override;

  /// Lets the masks of a structured pruning grow to what sits behind the pruned filters in `model`, whose tensors the
  /// layers are (see extend_masks): batch norms and depthwise convolutions are masked and kept at zero with them, so
  /// that speed_up can cut the channels. Where the model's operators do not allow that, the masks stay as they are.
  void extend_over(torch::jit::Module model, at::Tensor example);

  /// The sparsifying phase, before training; nothing for metrics of weights alone. Slim trains the network for
  /// sparsifying_training_epochs with `options` and `hooks`, and an L1 penalty on the gammas; under a schedule the
  /// penalty stays on until the final sparsity is reached. TaylorFo, Apoz and MeanActivation run
  /// sparsifying_training_batches batches of `options.batch_size` and change nothing in the model; they do so again
  /// whenever a schedule makes new masks, so `data` must live as long as the training. Errors: those of the training,
  /// a layer that statistics cannot be had of.
  [[nodiscard]] Result<void> sparsify(const Network& network, const Dataset& data, const TrainingOptions& options,
                                      const TrainingHooks& hooks);

  /// Weights, optimizer and learning-rate schedule of a lottery ticket begin anew with each round.
  [[nodiscard]] bool restarts_optimizer(std::int64_t epoch) const override;

  /// Brings the masks to the targets of `epoch` (0-based), and the pruned weights to zero. Errors: weights or
  /// statistics that are not finite, statistics that sparsify was to gather.
  [[nodiscard]] Result<void> update_epoch(std::int64_t epoch) override;

  /// Brings the masks to their final targets whatever the schedule says.
  [[nodiscard]] Result<void> finish() override;

  /// Epochs of training that the schedules need to reach their ends; 0 without one.
  [[nodiscard]] std::int64_t epochs_needed() const;

  /// Whether every layer has reached its final sparsity.
  [[nodiscard]] bool is_settled(std::int64_t epoch) const override;

  /// No gradient, hence no momentum, for what is pruned.
  void after_backward() override;

  /// Momentum gathered before pruning must not bring weights back.
  void step() override;

  [[nodiscard]] const Masks& masks() const { return masks_; }
  [[nodiscard]] bool structured() const { return pruner_->structured(); }

 private:
  /// What statistics are gathered from.
  struct Source;

  Pruning(const PrunerOptions& options, std::vector<SelectedLayer> layers, std::optional<Schedule> schedule,
          std::map<std::string, std::int64_t> groups);

  [[nodiscard]] std::vector<double> sparsities_at(std::int64_t epoch) const;
  [[nodiscard]] std::vector<double> final_sparsities() const;
  [[nodiscard]] Result<void> refresh(const std::vector<double>& sparsities);
  [[nodiscard]] Result<void> gather();
  void remember_tensors(const torch::jit::Module& model);
  void rewind_tensors();

  PrunerOptions options_;
  std::map<std::string, std::int64_t> groups_of_transposed_;
  std::shared_ptr<FilterStatistics> statistics_;  ///< what pruner_ reads
  bool statistics_are_fresh_ = false;             ///< gathered from the model as it is now
  std::unique_ptr<Source> source_;                ///< set by sparsify
  std::unique_ptr<Pruner> pruner_;
  std::vector<SelectedLayer> layers_;
  std::optional<Schedule> schedule_;
  std::unique_ptr<MaskGroups> groups_;
  Masks masks_;
  bool penalised_ = false;                   ///< gammas are to become small
  std::vector<Layer> masked_layers_;         ///< those that masks_ may name
  std::optional<torch::jit::Module> model_;  ///< set by extend_over
  at::Tensor example_;
  std::optional<torch::jit::Module> rewound_;               ///< set where weights are reset
  std::vector<std::pair<at::Tensor, at::Tensor>> initial_;  ///< its tensors, and what they were at first
};

}  // namespace lathe::compression
