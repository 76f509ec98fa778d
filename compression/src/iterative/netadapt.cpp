#include <lathe/compression/netadapt.hpp>

#include <algorithm>

#include <fmt/format.h>

#include "iterative/pruning_space.hpp"
#include "iterative/snapshot.hpp"
#include "iterative/workbench.hpp"

namespace lathe::compression {
namespace {

/// One layer with more of its units gone, fine-tuned and judged.
struct Candidate {
  std::size_t layer = 0;
  UnitCounts counts;
  Masks masks;     ///< of the selected layers
  Masks extended;  ///< and of what sits behind them
  double metric = 0;
};

class Adaptation {
 public:
  Adaptation(const IterativeContext& context, const NetAdaptOptions& options, const PruningSpace& space)
      : context_(context),
        options_(options),
        space_(space),
        bench_(context, space),
        start_(context.network.model()),
        goal_(space.goal(space.target())),
        step_(std::max<std::int64_t>(space.goal(options.sparsity_per_iteration), 1)) {
    chosen_.counts.assign(space.size(), 0);
  }

  Result<IterativeResult> run() {
    for (std::int64_t iteration = 1; space_.pruned_weights(chosen_.counts) < goal_; ++iteration) {
      shrink_step();
      if (auto chosen = choose_layer(iteration); !chosen) return tl::unexpected(chosen.error());
    }
    return IterativeResult{chosen_.extended, std::nullopt, std::move(history_)};
  }

 private:
  /// What the layer has to give up; none when it has not so much.
  [[nodiscard]] std::optional<UnitCounts> reduced(std::size_t layer) const {
    const std::int64_t wanted = std::min(step_, goal_ - space_.pruned_weights(chosen_.counts));
    const std::int64_t unit = space_.unit_weights(layer);
    UnitCounts counts = chosen_.counts;
    counts[layer] += (wanted + unit - 1) / unit;
    if (counts[layer] >= space_.units(layer)) return std::nullopt;
    return counts;
  }

  /// Halves the step until some layer can give so much. It ends: the goal was found to be within reach.
  void shrink_step() {
    const auto possible = [this] {
      for (std::size_t i = 0; i < space_.size(); ++i) {
        if (reduced(i)) return true;
      }
      return false;
    };
    while (!possible() && step_ > 1) step_ /= 2;
  }

  /// Tries every layer from the same weights, and goes on from the best candidate's.
  Result<void> choose_layer(std::int64_t iteration) {
    std::optional<Candidate> best;
    std::optional<Snapshot> weights;
    for (std::size_t i = 0; i < space_.size(); ++i) {
      const auto counts = reduced(i);
      if (!counts) continue;
      start_.restore();
      auto candidate = try_layer(i, *counts, iteration);
      if (!candidate) return tl::unexpected(candidate.error());
      if (best && candidate->metric <= best->metric) continue;
      best = std::move(*candidate);
      weights.emplace(context_.network.model());
    }
    weights->restore();
    start_.retake();
    chosen_ = std::move(*best);
    return bench_.tell(history_, {iteration, space_.name(chosen_.layer), space_.sparsity(chosen_.counts),
                                  chosen_.metric, space_.sparsities(chosen_.counts)});
  }

  Result<Candidate> try_layer(std::size_t layer, const UnitCounts& counts, std::int64_t iteration) const {
    Candidate candidate{layer, counts, chosen_.masks, {}, 0};
    const auto current = chosen_.masks.find(space_.name(layer));
    candidate.masks[space_.name(layer)] =
        space_.mask(layer, counts[layer], current == chosen_.masks.end() ? nullptr : &current->second);
    candidate.extended = bench_.extended(candidate.masks);
    auto trained = bench_.finetune(candidate.extended, options_.finetune_epochs, iteration);
    if (!trained) return tl::unexpected(trained.error());
    const auto metric = bench_.judge();
    if (!metric) return tl::unexpected(metric.error());
    candidate.metric = *metric;
    bench_.say(fmt::format("iteration {}: {} of {} units of {} gone: metric {:.4f}", iteration, counts[layer],
                           space_.units(layer), space_.name(layer), candidate.metric));
    return candidate;
  }

  const IterativeContext& context_;
  const NetAdaptOptions& options_;
  const PruningSpace& space_;
  Workbench bench_;
  Snapshot start_;  ///< of the iteration
  std::int64_t goal_;
  std::int64_t step_;  ///< weights that an iteration takes
  Candidate chosen_;   ///< of the last iteration
  std::vector<IterativeStep> history_;
};

}  // namespace

Result<IterativeResult> NetAdapt::run(const IterativeContext& context) const {
  const double share = options_.sparsity_per_iteration;
  if (auto sound = require(share > 0 && share < 1, "sparsity_per_iteration", share, "a number s with 0 < s < 1");
      !sound)
    return tl::unexpected(sound.error());
  const auto epochs = options_.finetune_epochs;
  if (auto sound = require(epochs >= 0, "finetune_epochs", static_cast<double>(epochs), "0 or more"); !sound)
    return tl::unexpected(sound.error());
  const auto space = PruningSpace::create(options_.base_algo, context.layers);
  if (!space) return tl::unexpected(space.error());
  if (auto reachable = space->check_reachable(space->target()); !reachable) return tl::unexpected(reachable.error());
  return Adaptation(context, options_, *space).run();
}

}  // namespace lathe::compression
