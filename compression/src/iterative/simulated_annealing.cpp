#include <lathe/compression/simulated_annealing.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <lathe/compression/pruning.hpp>

#include "iterative/pruning_space.hpp"
#include "iterative/sparsity_draws.hpp"
#include "iterative/workbench.hpp"

namespace lathe::compression {
namespace {

/// The layers from the smallest to the largest.
std::vector<std::size_t> by_size(const PruningSpace& space) {
  std::vector<std::size_t> order(space.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return space.weights(a) < space.weights(b); });
  return order;
}

std::vector<std::int64_t> sizes_of(const PruningSpace& space, const std::vector<std::size_t>& order) {
  std::vector<std::int64_t> sizes;
  for (const std::size_t i : order) sizes.push_back(space.weights(i));
  return sizes;
}

/// Sparsities in order of size, and how good the model is with them.
struct State {
  std::vector<double> sparsities;
  UnitCounts counts;
  double metric = 0;
};

class Annealing {
 public:
  Annealing(const IterativeContext& context, const AnnealingOptions& options, const PruningSpace& space, double target)
      : options_(options),
        space_(space),
        bench_(context, space),
        target_(target),
        order_(by_size(space)),
        draws_(sizes_of(space, order_), target, context.seed) {}

  Result<UnitCounts> run() {
    State current{draws_.initial(), {}, 0};
    std::optional<State> best;
    std::int64_t iteration = 0;
    for (double heat = options_.start_temperature; heat > options_.stop_temperature; heat *= options_.cool_down_rate) {
      const double magnitude = heat / options_.start_temperature * options_.perturbation_magnitude;
      State next{draws_.perturbed(current.sparsities, magnitude), {}, 0};
      next.counts = counts_of(next.sparsities);
      const auto metric = bench_.judge_masked(space_.masks(next.counts, {}));
      if (!metric) return tl::unexpected(metric.error());
      next.metric = *metric;
      auto told = bench_.tell(history_, {++iteration, fmt::format("temperature {:.4g}", heat),
                                         space_.sparsity(next.counts), next.metric, space_.sparsities(next.counts)});
      if (!told) return tl::unexpected(told.error());
      // The state that perturbation starts from at first was never judged; anything takes its place.
      const bool accepted = !best || accepts(current.metric, next.metric, heat);
      if (!best || next.metric > best->metric) best = next;
      if (accepted) current = std::move(next);
    }
    return best->counts;
  }

  [[nodiscard]] std::vector<IterativeStep> history() && { return std::move(history_); }

 private:
  [[nodiscard]] bool accepts(double current, double next, double temperature) {
    return next > current || draws_.chance() < std::exp(-(current - next) / temperature);
  }

  /// In the order of the space, brought to the target that truncation misses.
  [[nodiscard]] UnitCounts counts_of(const std::vector<double>& by_size) const {
    std::vector<double> sparsities(by_size.size());
    double pruned = 0;
    for (std::size_t i = 0; i < order_.size(); ++i) {
      sparsities[order_[i]] = by_size[i];
      pruned += by_size[i] * static_cast<double>(space_.weights(order_[i]));
    }
    // Rescaling makes up for what truncation to weights loses, which may be a few too many in other units.
    const auto goal = static_cast<double>(space_.goal(target_));
    for (double& sparsity : sparsities) sparsity *= pruned > goal ? goal / pruned : 1;
    UnitCounts counts = space_.truncated(sparsities);
    space_.top_up(counts, sparsities, space_.most(), space_.goal(target_));
    return counts;
  }

  const AnnealingOptions& options_;
  const PruningSpace& space_;
  Workbench bench_;
  double target_;
  std::vector<std::size_t> order_;
  SparsityDraws draws_;
  std::vector<IterativeStep> history_;
};

Result<void> check_annealing(const AnnealingOptions& options) {
  const double stop = options.stop_temperature;
  const double start = options.start_temperature;
  const double rate = options.cool_down_rate;
  const double magnitude = options.perturbation_magnitude;
  if (auto sound = require(stop > 0, "stop_temperature", stop, "a number above 0"); !sound) return sound;
  if (auto sound =
          require(start > stop, "start_temperature", start, fmt::format("more than stop_temperature {}", stop));
      !sound)
    return sound;
  if (auto sound = require(rate > 0 && rate < 1, "cool_down_rate", rate, "a number r with 0 < r < 1"); !sound)
    return sound;
  return require(magnitude > 0, "perturbation_magnitude", magnitude, "a number above 0");
}

struct Annealed {
  UnitCounts counts;
  std::vector<IterativeStep> history;
};

Result<Annealed> anneal(const IterativeContext& context, const AnnealingOptions& options, const PruningSpace& space,
                        double target) {
  if (auto sound = check_annealing(options); !sound) return tl::unexpected(sound.error());
  if (auto reachable = space.check_reachable(target); !reachable) return tl::unexpected(reachable.error());
  Annealing annealing(context, options, space, target);
  auto counts = annealing.run();
  if (!counts) return tl::unexpected(counts.error());
  return Annealed{std::move(*counts), std::move(annealing).history()};
}

}  // namespace

Result<AnnealedSparsities> anneal_sparsities(const IterativeContext& context, const AnnealingOptions& options,
                                             double target) {
  const auto space = PruningSpace::create(options.base_algo, context.layers);
  if (!space) return tl::unexpected(space.error());
  auto annealed = anneal(context, options, *space, target);
  if (!annealed) return tl::unexpected(annealed.error());
  AnnealedSparsities result{{}, std::move(annealed->history)};
  for (std::size_t i = 0; i < space->size(); ++i) {
    result.sparsities.push_back(sparsity_of(annealed->counts[i], space->units(i)));
  }
  return result;
}

Result<IterativeResult> SimulatedAnnealing::run(const IterativeContext& context) const {
  const auto space = PruningSpace::create(options_.base_algo, context.layers);
  if (!space) return tl::unexpected(space.error());
  auto annealed = anneal(context, options_, *space, space->target());
  if (!annealed) return tl::unexpected(annealed.error());
  const Masks masks = Workbench(context, *space).extended(space->masks(annealed->counts, {}));
  apply_masks(context.network.model(), masks);
  return IterativeResult{masks, std::nullopt, std::move(annealed->history)};
}

}  // namespace lathe::compression
