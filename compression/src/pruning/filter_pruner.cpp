#include <stdexcept>

#include <ATen/ops/amax.h>
#include <fmt/format.h>

#include "pruning/filter_norms.hpp"
#include "pruning/pruners.hpp"

namespace lathe::compression {
namespace {

std::vector<std::string> supported_by(PruningMetric metric) {
  if (metric == PruningMetric::Slim) return {"BatchNorm1d", "BatchNorm2d", "BatchNorm3d"};
  return {"Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "Linear"};
}

std::vector<std::string> defaults_of(PruningMetric metric) {
  if (metric == PruningMetric::Slim) return supported_by(metric);
  return {"Conv1d", "Conv2d", "Conv3d", "Linear"};
}

}  // namespace

FilterPruner::FilterPruner(PruningMetric metric, PrunerKnowledge knowledge, std::int64_t round_to)
    : metric_(metric),
      knowledge_(std::move(knowledge)),
      round_to_(round_to),
      supported_(supported_by(metric)),
      defaults_(defaults_of(metric)) {}

std::int64_t FilterPruner::groups(const Layer& layer) const {
  const auto found = knowledge_.groups.find(layer.name);
  return found == knowledge_.groups.end() ? 1 : found->second;
}

Result<void> FilterPruner::check(const Layer& layer) const {
  return filter_layout(layer, groups(layer)).map([](const FilterLayout&) {});
}

std::int64_t FilterPruner::count(const Layer& layer, double sparsity) const {
  return rounded_count(units(layer), pruned_count(units(layer), sparsity), round_to_);
}

at::Tensor FilterPruner::metric(const Layer& layer) const {
  if (needs_statistics(metric_)) {
    const at::Tensor gathered = knowledge_.statistics ? knowledge_.statistics->of(layer.name) : at::Tensor();
    if (gathered.defined()) return gathered;
    throw std::logic_error(fmt::format("layer {}: {} needs statistics of running the model, and none were gathered",
                                       layer.name, name_of(metric_)));
  }
  const at::Tensor rows = filter_rows(selectable(layer.weight), layout(layer));
  if (metric_ == PruningMetric::Fpgm) return distance_sums(rows);
  return metric_ == PruningMetric::L2 ? l2_norms(rows) : l1_norms(rows);  // |gamma| is the norm of a row of one
}

Mask FilterPruner::mask_of_units(const Layer& layer, const at::Tensor& kept) const {
  const at::Tensor units = kept.to(layer.weight.options().requires_grad(false));
  Mask mask;
  mask.weight = spread_over_weight(units, layer.weight.sizes(), layout(layer));
  if (layer.bias.defined()) mask.bias = units.to(layer.bias.scalar_type()).clone();
  return mask;
}

at::Tensor FilterPruner::units_of_mask(const Layer& layer, const Mask& mask) const {
  return filter_rows(mask.weight, layout(layer)).amax(1);
}

}  // namespace lathe::compression
