#include <lathe/compression/auto_compress.hpp>

#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <lathe/compression/speedup.hpp>

#include "iterative/pruning_space.hpp"
#include "iterative/workbench.hpp"

namespace lathe::compression {
namespace {

/// Masks of what a smaller model still holds as whole filters of zeros: speed-up could not cut them. A bias that is not
/// zero there is what speed-up has folded into it, and stays.
Masks masks_of_zero_filters(const std::vector<Layer>& layers) {
  const auto pruner = Pruner::create(PruningMetric::L1);
  Masks masks;
  for (const Layer& layer : layers) {
    const at::Tensor kept = pruner->metric(layer).ne(0);
    if (kept.all().item<bool>()) continue;
    Mask mask = pruner->mask_of_units(layer, kept.to(layer.weight.scalar_type()));
    if (mask.bias.defined()) mask.bias = at::logical_or(mask.bias, layer.bias.detach()).to(mask.bias.scalar_type());
    masks[layer.name] = std::move(mask);
  }
  return masks;
}

class Rounds {
 public:
  Rounds(const IterativeContext& context, const AutoCompressOptions& options, const PruningSpace& space)
      : options_(options),
        context_(context),
        hook_(context.intermediate),
        structured_(space.structured()),
        original_weights_(space.total_weights()),
        target_(space.target()) {
    options_.annealing.base_algo = options_.admm.base_algo = options_.base_algo;
    context_.intermediate = nullptr;  // rounds are told of, not the steps of their parts
  }

  Result<IterativeResult> run() {
    for (std::int64_t round = 1; round <= options_.num_iterations; ++round) {
      if (auto done = run_round(round); !done) {
        return fail(fmt::format("round {}: {}", round, done.error().message));
      }
    }
    return std::move(result_);
  }

 private:
  Result<void> run_round(std::int64_t round) {
    context_.seed += 1;
    auto annealed = anneal_sparsities(context_, options_.annealing, target_of(round));
    if (!annealed) return tl::unexpected(annealed.error());
    auto pruned = Admm(options_.admm).run(of_sparse_layers(annealed->sparsities));
    if (!pruned) return tl::unexpected(pruned.error());
    result_.masks = std::move(pruned->masks);
    if (structured_) {
      if (auto smaller = cut(); !smaller) return smaller;
    }
    const auto metric = context_.evaluate(context_.network);
    if (!metric) return tl::unexpected(metric.error());
    result_.history.push_back({round, "round", sparsity(), *metric, {}});
    const IterativeStep& step = result_.history.back();
    if (context_.progress) {
      context_.progress(fmt::format("round {}/{}: sparsity {:.4f}, metric {:.4f}", round, options_.num_iterations,
                                    step.sparsity, step.metric));
    }
    return hook_ ? hook_(step) : Result<void>();
  }

  /// Of what the layers of this round hold. Where nothing is cut they hold what the rounds before have pruned too,
  /// which goes first again.
  [[nodiscard]] double target_of(std::int64_t round) const {
    const auto rounds = static_cast<double>(options_.num_iterations);
    const double done = structured_ ? 1.0 : static_cast<double>(round);
    return 1 - std::pow(1 - target_, done / rounds);
  }

  /// The context with the layers that this round prunes, at their sparsities.
  [[nodiscard]] IterativeContext of_sparse_layers(const std::vector<double>& sparsities) const {
    IterativeContext context = context_;
    context.layers.clear();
    for (std::size_t i = 0; i < sparsities.size(); ++i) {
      if (sparsities[i] == 0) continue;
      context.layers.push_back(context_.layers[i]);
      context.layers.back().target.sparsity = sparsities[i];
    }
    return context;
  }

  /// Goes on with a smaller model. Layers keep their names.
  Result<void> cut() {
    auto sped_up = speed_up(context_.network.model(), result_.masks, context_.example, context_.speedup);
    if (!sped_up) return tl::unexpected(sped_up.error());
    context_.network = Network(sped_up->model);
    result_.model = sped_up->model;
    const auto layers = layers_of(sped_up->model);
    std::vector<Layer> selected;
    for (SelectedLayer& known : context_.layers) {
      for (const Layer& layer : layers) {
        if (layer.name == known.layer.name) known.layer = layer;
      }
      selected.push_back(known.layer);
    }
    result_.masks = masks_of_zero_filters(selected);
    return {};
  }

  /// Of the original weights of the selected layers.
  [[nodiscard]] double sparsity() const {
    std::int64_t left = 0;
    for (const auto& [layer, target] : context_.layers) {
      left += at::count_nonzero(layer.weight.detach()).item<std::int64_t>();
    }
    return 1 - static_cast<double>(left) / static_cast<double>(original_weights_);
  }

  AutoCompressOptions options_;
  IterativeContext context_;  ///< of the round: network and layers are replaced when the model is cut
  std::function<Result<void>(const IterativeStep&)> hook_;
  bool structured_;
  std::int64_t original_weights_;
  double target_;
  IterativeResult result_;
};

}  // namespace

Result<IterativeResult> AutoCompress::run(const IterativeContext& context) const {
  const auto rounds = options_.num_iterations;
  if (auto sound = require(rounds > 0, "num_iterations", static_cast<double>(rounds), "1 or more"); !sound)
    return tl::unexpected(sound.error());
  const auto space = PruningSpace::create(options_.base_algo, context.layers);
  if (!space) return tl::unexpected(space.error());
  if (space->structured() && !context.example.defined())
    return fail("AutoCompress needs an example input to cut filters");
  return Rounds(context, options_, *space).run();
}

}  // namespace lathe::compression
