#include <lathe/compression/pruner.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <ATen/ops/aminmax.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pruning/mask_groups.hpp"
#include "pruning/pruners.hpp"
#include "pruning/selection.hpp"

namespace lathe::compression {
namespace {

Result<void> check_type(const Pruner& pruner, const Layer& layer) {
  const auto& types = pruner.supported_types();
  if (types.empty() || std::find(types.begin(), types.end(), layer.type) != types.end()) return {};
  return fail(fmt::format("layer {} is a {}, which this algorithm cannot prune; it prunes {}", layer.name, layer.type,
                          fmt::join(types, ", ")));
}

/// Layers that share a total may have a unit go where none would reach a whole one alone.
bool prunes_something(const Pruner& pruner, const std::vector<SelectedLayer>& layers) {
  double together = 0;
  for (const auto& [layer, target] : layers) {
    if (pruner.count(layer, target.sparsity) > 0) return true;
    if (target.pool) together += static_cast<double>(pruner.units(layer)) * target.sparsity;
  }
  return together >= 1;
}

/// Whether the mode and its arguments go with the metric.
Result<void> check_mode(const PrunerOptions& options) {
  const bool level = options.metric == PruningMetric::Level;
  if (options.mode == PruningMode::DependencyAware && (level || options.metric == PruningMetric::Slim)) {
    return fail(fmt::format("{} cannot be dependency-aware; l1, l2, fpgm, taylorfo, apoz and mean_activation can",
                            name_of(options.metric)));
  }
  if (options.mode == PruningMode::Group && !has_group_importance(options.metric)) {
    return fail(fmt::format("{} has no importance of whole groups (mode group); l1, l2 and fpgm have",
                            name_of(options.metric)));
  }
  if (options.group_reduction != GroupReduction::Mean && options.mode != PruningMode::Group) {
    return fail("group_reduction is an argument of mode group only");
  }
  if (options.round_to < 1) return fail(fmt::format("round_to is {}; expected 1 or more", options.round_to));
  if (level && options.round_to > 1) return fail("round_to is of pruners of filters; level prunes single weights");
  return {};
}

}  // namespace

std::string_view name_of(PruningMetric metric) {
  static constexpr std::array<std::string_view, 8> kNames{"level", "l1",       "l2",   "fpgm",
                                                          "slim",  "taylorfo", "apoz", "mean_activation"};
  return kNames.at(static_cast<std::size_t>(metric));
}

bool needs_statistics(PruningMetric metric) {
  return metric == PruningMetric::TaylorFo || metric == PruningMetric::Apoz || metric == PruningMetric::MeanActivation;
}

bool has_group_importance(PruningMetric metric) {
  return metric == PruningMetric::L1 || metric == PruningMetric::L2 || metric == PruningMetric::Fpgm;
}

Result<void> check_options(const PrunerOptions& options) {
  const auto name = name_of(options.metric);
  const bool level = options.metric == PruningMetric::Level;
  if (auto fits = check_mode(options); !fits) return fits;
  if (!options.balance_gran.empty() && (!level || options.mode != PruningMode::Normal)) {
    return fail("balance_gran is of level in its normal mode only");
  }
  for (const std::int64_t length : options.balance_gran) {
    if (length < 1) return fail(fmt::format("balance_gran: {} is no length of a block; expected 1 or more", length));
  }
  if (options.sparsifying_training_epochs < 0) {
    return fail(
        fmt::format("sparsifying_training_epochs is {}; expected 0 or more", options.sparsifying_training_epochs));
  }
  if (!(options.scale >= 0 && std::isfinite(options.scale))) {
    return fail(fmt::format("scale is {}; expected a finite number, 0 or more", options.scale));
  }
  if (options.sparsifying_training_batches < 1) {
    return fail(
        fmt::format("sparsifying_training_batches is {}; expected 1 or more", options.sparsifying_training_batches));
  }
  if (options.global_sort && options.metric != PruningMetric::TaylorFo) {
    return fail(fmt::format("global_sort is an argument of taylorfo, not of {}", name));
  }
  if (options.global_sort && options.mode == PruningMode::DependencyAware) {
    return fail("global_sort and dependency_aware exclude each other");
  }
  return {};
}

std::unique_ptr<Pruner> Pruner::create(const PrunerOptions& options, PrunerKnowledge knowledge) {
  if (options.metric == PruningMetric::Level) return std::make_unique<LevelPruner>(options.balance_gran);
  return std::make_unique<FilterPruner>(options.metric, std::move(knowledge), options.round_to);
}

std::unique_ptr<Pruner> Pruner::create(PruningMetric metric) {
  return create(PrunerOptions{.metric = metric}, {});
}

std::int64_t Pruner::count(const Layer& layer, double sparsity) const {
  return pruned_count(units(layer), sparsity);
}

Mask Pruner::mask(const Layer& layer, double sparsity, const Mask* current) const {
  const at::Tensor values = selectable(metric(layer));
  const at::Tensor kept =
      current == nullptr ? at::Tensor() : units_of_mask(layer, *current).to(values.options()).contiguous();
  return mask_of_units(layer, keep_largest(values, count(layer, sparsity), kept));
}

at::Tensor selectable(const at::Tensor& tensor) {
  const auto type = tensor.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return tensor.detach().to(at::TensorOptions().device(at::kCPU).dtype(type)).contiguous();
}

std::int64_t pruned_count(std::int64_t units, double sparsity) {
  const auto count = static_cast<std::int64_t>(std::trunc(static_cast<double>(units) * sparsity));
  return std::clamp<std::int64_t>(count, 0, std::max<std::int64_t>(units - 1, 0));
}

std::int64_t rounded_count(std::int64_t units, std::int64_t pruned, std::int64_t round_to) {
  const std::int64_t kept = (units - pruned + round_to - 1) / round_to * round_to;
  return std::max<std::int64_t>(units - kept, 0);
}

Result<void> check_numbers(const Layer& layer) {
  if (!layer.weight.is_floating_point()) {
    return fail(fmt::format("layer {}: its weight is of type {}; expected floating-point numbers", layer.name,
                            c10::toString(layer.weight.scalar_type())));
  }
  const auto [least, most] = at::aminmax(selectable(layer.weight));  // either is NaN when one weight is
  if (std::isfinite(least.item<double>()) && std::isfinite(most.item<double>())) return {};
  return fail(fmt::format("layer {}: its weight holds NaN or infinite values", layer.name));
}

Result<void> check_layers(const Pruner& pruner, const std::vector<SelectedLayer>& layers) {
  for (const auto& [layer, target] : layers) {
    if (auto fits = check_type(pruner, layer); !fits) return fits;
    if (auto fits = pruner.check(layer); !fits) return fits;
    if (auto fits = check_numbers(layer); !fits) return fits;
  }
  return {};
}

Result<void> check_reachable(const Pruner& pruner, const std::vector<SelectedLayer>& layers) {
  if (prunes_something(pruner, layers)) return {};
  std::int64_t largest = 0;
  double sparsity = 0;
  for (const auto& [layer, target] : layers) {
    largest = std::max(largest, pruner.units(layer));
    sparsity = std::max(sparsity, target.sparsity);
  }
  return fail(
      fmt::format("nothing would be pruned: the largest of the {} selected layers has {} {}, the highest "
                  "sparsity is {}, and only whole ones can go",
                  layers.size(), largest, pruner.structured() ? "filters" : "weights", sparsity));
}

}  // namespace lathe::compression
