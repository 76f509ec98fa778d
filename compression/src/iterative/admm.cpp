#include <lathe/compression/admm.hpp>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <lathe/compression/pruning.hpp>

#include "iterative/pruning_space.hpp"
#include "iterative/workbench.hpp"

namespace lathe::compression {

AdmmTraining::AdmmTraining(const AdmmOptions& options, const std::vector<SelectedLayer>& layers)
    : options_(options), pruner_(Pruner::create(options.base_algo)) {
  for (const SelectedLayer& selected : layers) {
    const at::Tensor weight = selected.layer.weight.detach();
    states_.push_back({selected, selected.target.rho.value_or(options.row), weight.clone(), at::zeros_like(weight)});
  }
}

Result<void> AdmmTraining::update_epoch(std::int64_t epoch) {
  if (epoch > 0 && epoch % options_.epochs_per_iteration == 0) update_projections();
  return {};
}

void AdmmTraining::after_backward() {
  for (auto& [selected, row, z, u] : states_) {
    const at::Tensor weight = selected.layer.weight.detach();
    z = z.to(weight.device());
    u = u.to(weight.device());
    weight.sub_(weight.sub(z).add_(u), row);
  }
}

void AdmmTraining::update_projections() {
  for (auto& [selected, row, z, u] : states_) {
    const at::Tensor weight = selected.layer.weight.detach();
    Layer shifted = selected.layer;
    shifted.weight = weight + u.to(weight.device());
    z = shifted.weight * pruner_->mask(shifted, selected.target.sparsity, nullptr).weight;
    u = shifted.weight - z;
  }
}

Result<void> AdmmTraining::finish() {
  update_projections();
  for (const auto& [selected, row, z, u] : states_) {
    if (!at::isfinite(selected.layer.weight.detach()).all().item<bool>()) {
      return fail(fmt::format("layer {}: its weight holds NaN or infinite values after training with row {}",
                              selected.layer.name, row));
    }
    masks_[selected.layer.name] = pruner_->mask(selected.layer, selected.target.sparsity, nullptr);
  }
  return {};
}

namespace {

Result<void> check_admm(const AdmmOptions& options) {
  const auto iterations = options.num_iterations;
  const auto epochs = options.epochs_per_iteration;
  if (auto sound = require(iterations > 0, "num_iterations", static_cast<double>(iterations), "1 or more"); !sound)
    return sound;
  if (auto sound = require(epochs > 0, "epochs_per_iteration", static_cast<double>(epochs), "1 or more"); !sound)
    return sound;
  return require(options.row > 0 && options.row <= 1, "row", options.row, "a number r with 0 < r <= 1");
}

/// Tells after each iteration how good the model is while it is not pruned yet.
TrainingHooks iteration_hooks(const AdmmOptions& options, const Workbench& bench, std::vector<IterativeStep>& history) {
  TrainingHooks hooks;
  hooks.after_epoch = [&options, &bench, &history](const TrainingProgress& progress) -> Result<void> {
    const std::int64_t epochs = progress.epoch + 1;
    if (epochs % options.epochs_per_iteration != 0) return {};
    const auto metric = bench.judge();
    if (!metric) return tl::unexpected(metric.error());
    return bench.tell(history, {epochs / options.epochs_per_iteration, "before pruning", 0, *metric, {}});
  };
  return hooks;
}

UnitCounts targets_of(const PruningSpace& space) {
  UnitCounts counts;
  for (std::size_t i = 0; i < space.size(); ++i) {
    counts.push_back(pruned_count(space.units(i), space.layer(i).target.sparsity));
  }
  return counts;
}

}  // namespace

Result<IterativeResult> Admm::run(const IterativeContext& context) const {
  if (auto sound = check_admm(options_); !sound) return tl::unexpected(sound.error());
  const auto space = PruningSpace::create(options_.base_algo, context.layers);
  if (!space) return tl::unexpected(space.error());
  const Workbench bench(context, *space);
  IterativeResult result;

  TrainingOptions training = context.finetuning;
  training.epochs = options_.num_iterations * options_.epochs_per_iteration;
  training.optimizer = options_.optimizer;
  training.seed = context.seed;
  AdmmTraining admm(options_, context.layers);
  auto trained =
      train(context.network, context.train, training, &admm, iteration_hooks(options_, bench, result.history));
  if (!trained) return tl::unexpected(trained.error());

  result.masks = bench.extended(admm.masks());
  apply_masks(context.network.model(), result.masks);
  const auto metric = bench.judge();
  if (!metric) return tl::unexpected(metric.error());
  const UnitCounts counts = targets_of(*space);
  auto told = bench.tell(
      result.history, {options_.num_iterations, "pruned", space->sparsity(counts), *metric, space->sparsities(counts)});
  if (!told) return tl::unexpected(told.error());
  return result;
}

}  // namespace lathe::compression
