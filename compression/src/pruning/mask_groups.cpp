#include "pruning/mask_groups.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <map>

#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "pruning/allocation.hpp"
#include "pruning/group_importance.hpp"
#include "pruning/pruners.hpp"
#include "pruning/selection.hpp"

namespace lathe::compression {
namespace {

constexpr double kNoMask = -1;

const Mask* find_mask(const Masks& masks, const std::string& layer) {
  const auto found = masks.find(layer);
  return found == masks.end() ? nullptr : &found->second;
}

Result<void> check_pool(const std::vector<SelectedLayer>& layers, const std::vector<std::size_t>& members) {
  double most = 0;
  std::string names;
  for (const std::size_t i : members) {
    most = std::max(most, layers[i].target.max_sparsity);
    names += (names.empty() ? "" : ", ") + layers[i].layer.name;
  }
  const double total = layers[members.front()].target.sparsity;
  if (total <= most) return {};
  return fail(fmt::format("a total sparsity of {} cannot be reached: none of the layers {} may become sparser than {}",
                          total, names, most));
}

}  // namespace

void settle_pools(const PrunerOptions& options, std::vector<SelectedLayer>& layers) {
  const bool always = options.metric == PruningMetric::Slim || options.global_sort;
  std::size_t next = 0;
  for (SelectedLayer& selected : layers) {
    if (!always && options.mode != PruningMode::Global) selected.target.pool.reset();
    if (selected.target.pool) next = std::max(next, *selected.target.pool + 1);
  }
  if (!always) return;
  std::map<double, std::size_t> by_sparsity;
  for (SelectedLayer& selected : layers) {
    if (selected.target.pool) continue;
    const auto [pool, is_new] = by_sparsity.try_emplace(selected.target.sparsity, next);
    if (is_new) ++next;
    selected.target.pool = pool->second;
  }
}

MaskGroups::MaskGroups(const PrunerOptions& options, const Pruner& pruner, const std::vector<SelectedLayer>& layers,
                       std::vector<Group> groups)
    : options_(options),
      pruner_(&pruner),
      layers_(&layers),
      groups_(std::move(groups)),
      reached_(layers.size(), kNoMask) {}

MaskGroups::MaskGroups(const Pruner& pruner, const std::vector<SelectedLayer>& layers)
    : MaskGroups(PrunerOptions{}, pruner, layers, std::vector<Group>()) {
  for (std::size_t i = 0; i < layers.size(); ++i) groups_.push_back({{i}, false, {}});
}

Result<MaskGroups> MaskGroups::create(const PrunerOptions& options, const Pruner& pruner,
                                      const std::vector<SelectedLayer>& layers, const torch::jit::Module& model,
                                      const at::Tensor& example) {
  const bool by_sets = options.mode == PruningMode::DependencyAware || options.mode == PruningMode::Group;
  auto groups = by_sets ? sets(pruner, layers, model, example) : pools(layers);
  if (!groups && by_sets) {
    const char* mode = options.mode == PruningMode::Group ? "mode group" : "dependency_aware";
    return fail(fmt::format("{}{}", mode, groups.error().message));
  }
  if (!groups) return tl::unexpected(groups.error());
  return MaskGroups(options, pruner, layers, std::move(*groups));
}

Result<std::vector<MaskGroups::Group>> MaskGroups::pools(const std::vector<SelectedLayer>& layers) {
  std::vector<Group> groups;
  std::map<std::size_t, std::size_t> of_pool;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto& pool = layers[i].target.pool;
    if (pool && !of_pool.try_emplace(*pool, groups.size()).second) {
      groups[of_pool.at(*pool)].layers.push_back(i);
    } else {
      groups.push_back({{i}, pool.has_value(), {}});
    }
  }
  for (const Group& group : groups) {
    if (!group.pool) continue;
    if (auto fits = check_pool(layers, group.layers); !fits) return tl::unexpected(fits.error());
  }
  return groups;
}

Result<std::vector<MaskGroups::Group>> MaskGroups::sets(const Pruner& pruner, const std::vector<SelectedLayer>& layers,
                                                        const torch::jit::Module& model, const at::Tensor& example) {
  if (!example.defined()) return fail(" needs an example of the model's input, and there is none");
  std::vector<std::int64_t> filters;
  for (const SelectedLayer& selected : layers) filters.push_back(pruner.units(selected.layer));
  try {
    auto found = channel_sets(model, layers, filters, example);
    if (!found) return fail(": " + found.error().message);
    std::vector<Group> groups;
    for (ChannelSet& set : *found) {
      Group group{set.layers, false, {}};
      group.channels = std::move(set);
      groups.push_back(std::move(group));
    }
    return groups;
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    return fail(fmt::format(": {}", reason.substr(0, reason.find('\n'))));
  }
}

bool MaskGroups::due(const Group& group, const std::vector<double>& sparsities) const {
  return std::any_of(group.layers.begin(), group.layers.end(),
                     [&](std::size_t layer) { return reached_[layer] != sparsities[layer]; });
}

bool MaskGroups::due(const std::vector<double>& sparsities) const {
  return std::any_of(groups_.begin(), groups_.end(), [&](const Group& group) { return due(group, sparsities); });
}

Result<void> MaskGroups::refresh(const std::vector<double>& sparsities, Masks& masks) {
  for (const Group& group : groups_) {
    if (!due(group, sparsities)) continue;
    for (const std::size_t layer : group.layers) {
      if (auto sound = check_numbers((*layers_)[layer].layer); !sound) return sound;
    }
    mask(group, sparsities, masks);
    for (const std::size_t layer : group.layers) reached_[layer] = sparsities[layer];
  }
  return {};
}

void MaskGroups::mask(const Group& group, const std::vector<double>& sparsities, Masks& masks) const {
  const bool dense = std::all_of(group.layers.begin(), group.layers.end(), [&](std::size_t layer) {
    return sparsities[layer] == 0 && find_mask(masks, (*layers_)[layer].layer.name) == nullptr;
  });
  if (dense) {
    for (const std::size_t i : group.layers) {
      const Layer& layer = (*layers_)[i].layer;
      masks[layer.name] = pruner_->mask_of_units(layer, at::ones({pruner_->units(layer)}));
    }
  } else if (group.pool) {
    mask_pool(group, sparsities[group.layers.front()], masks);
  } else if (group.channels.size > 0) {
    mask_channels(group, sparsities, masks);
  } else {
    mask_alone(group.layers.front(), sparsities[group.layers.front()], masks);
  }
}

void MaskGroups::mask_alone(std::size_t layer, double sparsity, Masks& masks) const {
  const Layer& pruned = (*layers_)[layer].layer;
  masks[pruned.name] = pruner_->mask(pruned, sparsity, find_mask(masks, pruned.name));
}

void MaskGroups::mask_pool(const Group& group, double sparsity, Masks& masks) const {
  std::vector<PoolMember> members;
  double weights = 0;
  for (const std::size_t i : group.layers) {
    const auto& [layer, target] = (*layers_)[i];
    PoolMember& member = members.emplace_back();
    member.metric = standing(i, masks);
    member.weights_per_unit = layer.weight.numel() / member.metric.numel();
    member.most = pruned_count(member.metric.numel(), target.max_sparsity);
    weights += static_cast<double>(layer.weight.numel());
  }
  const auto counts = share_out(members, static_cast<std::int64_t>(std::trunc(weights * sparsity)));
  for (std::size_t member = 0; member < members.size(); ++member) {
    const Layer& layer = (*layers_)[group.layers[member]].layer;
    const at::Tensor& metric = members[member].metric;
    const at::Tensor kept = metric.ge(0).to(metric.scalar_type());
    const std::int64_t count = rounded_count(metric.numel(), counts[member], options_.round_to);
    masks[layer.name] = pruner_->mask_of_units(layer, keep_largest(metric, count, kept));
  }
}

void MaskGroups::mask_channels(const Group& group, const std::vector<double>& sparsities, Masks& masks) const {
  ChannelShare share{1, {}, options_.round_to};
  for (const std::size_t i : group.layers) {
    share.most.push_back(pruner_->count((*layers_)[i].layer, sparsities[i]));
    share.sparsity = std::min(share.sparsity, sparsities[i]);
  }
  const at::Tensor kept = common_channels(group.channels, channel_importance(group, masks), share);
  for (std::size_t member = 0; member < group.layers.size(); ++member) {
    const Layer& layer = (*layers_)[group.layers[member]].layer;
    at::Tensor of_layer = at::ones({pruner_->units(layer)}, at::kDouble);
    for (std::int64_t filter = 0; filter < of_layer.size(0); ++filter) {
      const std::int64_t channel = group.channels.channels[member][static_cast<std::size_t>(filter)];
      of_layer.data_ptr<double>()[filter] = kept.data_ptr<double>()[channel];
    }
    masks[layer.name] = pruner_->mask_of_units(layer, of_layer);
  }
}

std::vector<double> MaskGroups::channel_importance(const Group& group, const Masks& masks) const {
  std::vector<at::Tensor> metrics;
  // A set that the trace knows nothing of has no weights.
  if (options_.mode != PruningMode::Group || group.channels.weights.empty()) {
    for (const std::size_t i : group.layers) metrics.push_back(standing(i, masks));
    return summed_metrics(group.channels, metrics);
  }
  auto importance = group_importance(group.channels, options_.metric, options_.group_reduction);
  for (const std::size_t i : group.layers) {
    const Layer& layer = (*layers_)[i].layer;
    const Mask* current = find_mask(masks, layer.name);
    at::Tensor& kept = metrics.emplace_back(at::zeros({pruner_->units(layer)}, at::kDouble));
    if (current) kept.masked_fill_(pruner_->units_of_mask(layer, *current).cpu().eq(0), kPrunedUnit);
  }
  const auto pruned = summed_metrics(group.channels, metrics);
  for (std::size_t channel = 0; channel < importance.size(); ++channel)
    if (pruned[channel] < 0) importance[channel] = kPrunedUnit;
  return importance;
}

at::Tensor MaskGroups::standing(std::size_t layer, const Masks& masks) const {
  const Layer& pruned = (*layers_)[layer].layer;
  const at::Tensor metric = selectable(pruner_->metric(pruned));
  const Mask* current = find_mask(masks, pruned.name);
  if (current == nullptr) return metric;
  return metric.masked_fill(pruner_->units_of_mask(pruned, *current).cpu().eq(0), kPrunedUnit);
}

}  // namespace lathe::compression
