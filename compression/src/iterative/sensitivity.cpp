#include <lathe/compression/sensitivity.hpp>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "iterative/pruning_space.hpp"
#include "iterative/workbench.hpp"

namespace lathe::compression {
namespace {

constexpr double kMostOfALayer = 0.95;
constexpr std::array kCurve{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};

class SensitivityPruning {
 public:
  SensitivityPruning(const IterativeContext& context, const SensitivityOptions& options, const PruningSpace& space)
      : options_(options),
        space_(space),
        bench_(context, space),
        final_goal_(space.goal(space.target())),
        counts_(space.size(), 0) {}

  Result<IterativeResult> run() {
    auto metric = bench_.judge();
    if (!metric) return tl::unexpected(metric.error());
    for (std::int64_t iteration = 1; space_.pruned_weights(counts_) < final_goal_; ++iteration) {
      const auto borne = borne_ratios(*metric, iteration);
      if (!borne) return tl::unexpected(borne.error());
      prune(*borne);
      extended_ = bench_.extended(masks_);
      auto trained = bench_.finetune(extended_, options_.finetune_epochs, iteration);
      if (!trained) return tl::unexpected(trained.error());
      metric = bench_.judge();
      if (!metric) return tl::unexpected(metric.error());
      auto told = bench_.tell(history_, {iteration, "pruned by sensitivity", space_.sparsity(counts_), *metric,
                                         space_.sparsities(counts_)});
      if (!told) return tl::unexpected(told.error());
    }
    return IterativeResult{extended_, std::nullopt, std::move(history_)};
  }

 private:
  [[nodiscard]] double left(std::size_t i) const {
    return 1 - static_cast<double>(counts_[i]) / static_cast<double>(space_.units(i));
  }

  /// The ratio of each layer at which the metric has dropped by more than the threshold, or the last of the curve.
  [[nodiscard]] Result<std::vector<double>> borne_ratios(double metric, std::int64_t iteration) const {
    std::vector<double> borne;
    for (std::size_t i = 0; i < space_.size(); ++i) {
      double last = 0;
      for (const double ratio : kCurve) {
        last = ratio;
        const auto judged = judge_alone(i, ratio);
        if (!judged) return tl::unexpected(judged.error());
        if (*judged + options_.acc_drop_threshold < metric) break;
      }
      bench_.say(fmt::format("iteration {}: {} bears {:.1f}", iteration, space_.name(i), last));
      borne.push_back(last);
    }
    return borne;
  }

  /// With `ratio` of what the layer has left gone, beside what is gone already.
  [[nodiscard]] Result<double> judge_alone(std::size_t i, double ratio) const {
    Masks masks = masks_;
    const auto current = masks_.find(space_.name(i));
    const std::int64_t count = counts_[i] + pruned_count(space_.units(i) - counts_[i], ratio);
    masks[space_.name(i)] = space_.mask(i, count, current == masks_.end() ? nullptr : &current->second);
    return bench_.judge_masked(masks);
  }

  /// Takes an iteration's share of all weights, at least one unit, up to what one iteration may take of a layer.
  void prune(const std::vector<double>& borne) {
    const std::int64_t pruned = space_.pruned_weights(counts_);
    const std::int64_t step = std::max<std::int64_t>(space_.goal(options_.sparsity_per_iter), 1);
    const std::int64_t goal = std::min(pruned + step, final_goal_);
    const double share = static_cast<double>(goal - pruned) / static_cast<double>(space_.total_weights());
    std::vector<std::int64_t> sizes;
    std::vector<double> what_is_left;
    UnitCounts limits;
    for (std::size_t i = 0; i < space_.size(); ++i) {
      sizes.push_back(space_.weights(i));
      what_is_left.push_back(left(i));
      limits.push_back(counts_[i] + pruned_count(space_.units(i) - counts_[i], kMostOfALayer));
    }
    const auto ratios = normalize_ratios(borne, sizes, what_is_left, share);
    std::vector<double> sparsities;
    for (std::size_t i = 0; i < space_.size(); ++i) sparsities.push_back(1 - what_is_left[i] * (1 - ratios[i]));
    UnitCounts counts = space_.truncated(sparsities);
    for (std::size_t i = 0; i < space_.size(); ++i) counts[i] = std::clamp(counts[i], counts_[i], limits[i]);
    space_.top_up(counts, sparsities, limits, goal);
    counts_ = counts;
    masks_ = space_.masks(counts_, masks_);
  }

  const SensitivityOptions& options_;
  const PruningSpace& space_;
  Workbench bench_;
  std::int64_t final_goal_;  ///< weights that go in all
  UnitCounts counts_;        ///< units that are gone
  Masks masks_;              ///< of the selected layers
  Masks extended_;           ///< and of what sits behind them
  std::vector<IterativeStep> history_;
};

}  // namespace

std::vector<double> normalize_ratios(const std::vector<double>& ratios, const std::vector<std::int64_t>& sizes,
                                     const std::vector<double>& left, double share) {
  double total = 0;
  double pruned = 0;
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    total += static_cast<double>(sizes[i]);
    pruned += ratios[i] * static_cast<double>(sizes[i]) * left[i];
  }
  if (pruned <= 0) return std::vector<double>(ratios.size(), 0);
  std::vector<double> normalized;
  for (const double ratio : ratios) normalized.push_back(ratio * share * total / pruned);
  const double greatest = *std::max_element(normalized.begin(), normalized.end());
  if (greatest <= kMostOfALayer) return normalized;
  for (double& ratio : normalized) ratio *= kMostOfALayer / greatest;
  return normalized;
}

Result<IterativeResult> Sensitivity::run(const IterativeContext& context) const {
  const double share = options_.sparsity_per_iter;
  const double drop = options_.acc_drop_threshold;
  const auto epochs = options_.finetune_epochs;
  if (auto sound = require(share > 0 && share < 1, "sparsity_per_iter", share, "a number s with 0 < s < 1"); !sound)
    return tl::unexpected(sound.error());
  if (auto sound = require(drop >= 0, "acc_drop_threshold", drop, "a number of 0 or more"); !sound)
    return tl::unexpected(sound.error());
  if (auto sound = require(epochs >= 0, "finetune_epochs", static_cast<double>(epochs), "0 or more"); !sound)
    return tl::unexpected(sound.error());
  const auto space = PruningSpace::create(options_.base_algo, context.layers);
  if (!space) return tl::unexpected(space.error());
  if (auto reachable = space->check_reachable(space->target()); !reachable) return tl::unexpected(reachable.error());
  return SensitivityPruning(context, options_, *space).run();
}

}  // namespace lathe::compression
