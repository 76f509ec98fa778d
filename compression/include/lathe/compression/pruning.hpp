// A pruning in progress: the masks of a model, refreshed epoch by epoch, and kept in force while it trains.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/compressor.hpp>
#include <lathe/compression/mask.hpp>
#include <lathe/compression/pruner.hpp>
#include <lathe/compression/schedule.hpp>

namespace lathe::compression {

/// Sets masked weights and biases of `model` to zero, in place.
void apply_masks(const torch::jit::Module& model, const Masks& masks);

/// Prunes the layers of one model in place. The layers' tensors must be the model's own (from layers_of).
/// Not thread-safe; the trainer drives it.
class Pruning final : public Compressor {
 public:
  /// `schedule` gives the defaults of AGP; none prunes once, at epoch 0.
  Pruning(std::unique_ptr<Pruner> pruner, std::vector<SelectedLayer> layers, std::optional<AgpSchedule> schedule);

  /// Lets the masks of a structured pruning grow to what sits behind the pruned filters in `model`, whose tensors the
  /// layers are (see extend_masks): batch norms and depthwise convolutions are masked and kept at zero with them, so
  /// that speed_up can cut the channels. Where the model's operators do not allow that, the masks stay as they are.
  void extend_over(torch::jit::Module model, at::Tensor example);

  /// Brings the masks to the targets of `epoch` (0-based), and the pruned weights to zero.
  [[nodiscard]] Result<void> update_epoch(std::int64_t epoch) override;

  /// Brings the masks to their final targets whatever the schedule says.
  [[nodiscard]] Result<void> finish() override;

  /// Whether every layer has reached its final sparsity.
  [[nodiscard]] bool is_settled(std::int64_t epoch) const override { return epoch + 1 >= epochs_needed(); }

  /// Epochs of training that the schedules need to reach their ends; 0 without one.
  [[nodiscard]] std::int64_t epochs_needed() const;

  /// No gradient, hence no momentum, for what is pruned.
  void after_backward() override;

  /// Momentum gathered before pruning must not bring weights back.
  void step() override;

  [[nodiscard]] const Masks& masks() const { return masks_; }
  [[nodiscard]] bool structured() const { return pruner_->structured(); }

 private:
  void prune(const SelectedLayer& selected, double sparsity);
  void extend();
  [[nodiscard]] AgpSchedule schedule_of(const SelectedLayer& selected) const;

  std::unique_ptr<Pruner> pruner_;
  std::vector<SelectedLayer> layers_;
  std::optional<AgpSchedule> schedule_;
  Masks masks_;
  std::map<std::string, double> reached_;    ///< sparsity that each layer's mask was made for
  std::vector<Layer> masked_layers_;         ///< those that masks_ may name
  std::optional<torch::jit::Module> model_;  ///< set by extend_over
  at::Tensor example_;
};

}  // namespace lathe::compression
