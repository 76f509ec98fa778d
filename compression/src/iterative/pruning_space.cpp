#include "iterative/pruning_space.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::compression {

Result<void> check_base(PruningMetric base) {
  if (!needs_statistics(base) && base != PruningMetric::Slim) return {};
  return fail(
      fmt::format("base_algo is {}; expected one that goes by weights alone: level, l1, l2 or fpgm", name_of(base)));
}

PruningSpace::PruningSpace(std::unique_ptr<Pruner> pruner, std::vector<SelectedLayer> layers)
    : pruner_(std::move(pruner)), layers_(std::move(layers)) {
  for (const auto& [layer, target] : layers_) {
    units_.push_back(pruner_->units(layer));
  }
}

Result<PruningSpace> PruningSpace::create(PruningMetric base, std::vector<SelectedLayer> layers) {
  if (layers.empty()) return fail("no layer is selected");
  if (auto fits = check_base(base); !fits) return tl::unexpected(fits.error());
  PruningSpace space(Pruner::create(base), std::move(layers));
  if (auto fit = check_layers(*space.pruner_, space.layers_); !fit) return tl::unexpected(fit.error());
  return space;
}

UnitCounts PruningSpace::most() const {
  UnitCounts most;
  for (const std::int64_t units : units_) most.push_back(units - 1);
  return most;
}

std::int64_t PruningSpace::total_weights() const {
  std::int64_t total = 0;
  for (std::size_t i = 0; i < size(); ++i) total += weights(i);
  return total;
}

double PruningSpace::target() const {
  double pruned = 0;
  for (std::size_t i = 0; i < size(); ++i) pruned += static_cast<double>(weights(i)) * layers_[i].target.sparsity;
  return pruned / static_cast<double>(total_weights());
}

std::int64_t PruningSpace::goal(double sparsity) const {
  return static_cast<std::int64_t>(std::trunc(static_cast<double>(total_weights()) * sparsity));
}

Result<void> PruningSpace::check_reachable(double sparsity) const {
  const double most_of_all = this->sparsity(most());
  if (pruned_weights(most()) >= goal(sparsity)) return {};
  std::vector<std::string> limits;
  for (std::size_t i = 0; i < size(); ++i) {
    limits.push_back(
        fmt::format("{} {} of {} {}", name(i), units_[i] - 1, units_[i], structured() ? "filters" : "weights"));
  }
  return fail(
      fmt::format("an overall sparsity of {:.4g} cannot be reached; at most {:.4g} of the selected layers' "
                  "weights can go: {}",
                  sparsity, most_of_all, fmt::join(limits, ", ")));
}

std::int64_t PruningSpace::pruned_weights(const UnitCounts& counts) const {
  std::int64_t pruned = 0;
  for (std::size_t i = 0; i < size(); ++i) pruned += counts[i] * unit_weights(i);
  return pruned;
}

double PruningSpace::sparsity(const UnitCounts& counts) const {
  return static_cast<double>(pruned_weights(counts)) / static_cast<double>(total_weights());
}

std::map<std::string, double> PruningSpace::sparsities(const UnitCounts& counts) const {
  std::map<std::string, double> sparsities;
  for (std::size_t i = 0; i < size(); ++i) {
    if (counts[i] > 0) sparsities[name(i)] = static_cast<double>(counts[i]) / static_cast<double>(units_[i]);
  }
  return sparsities;
}

UnitCounts PruningSpace::truncated(const std::vector<double>& sparsities) const {
  UnitCounts counts;
  for (std::size_t i = 0; i < size(); ++i) counts.push_back(pruned_count(units_[i], std::min(sparsities[i], 1.0)));
  return counts;
}

void PruningSpace::top_up(UnitCounts& counts, const std::vector<double>& sparsities, const UnitCounts& limits,
                          std::int64_t goal) const {
  std::vector<std::size_t> order(size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto cut_off = [&](std::size_t i) {
    return static_cast<double>(units_[i]) * sparsities[i] - static_cast<double>(counts[i]);
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return cut_off(a) > cut_off(b); });
  for (const std::size_t i : order) {
    if (pruned_weights(counts) >= goal) return;
    if (counts[i] < limits[i]) ++counts[i];
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return weights(a) > weights(b); });
  for (const std::size_t i : order) {
    const std::int64_t missing = goal - pruned_weights(counts);
    if (missing <= 0) return;
    const std::int64_t wanted = (missing + unit_weights(i) - 1) / unit_weights(i);
    counts[i] += std::clamp<std::int64_t>(wanted, 0, std::max<std::int64_t>(limits[i] - counts[i], 0));
  }
}

Mask PruningSpace::mask(std::size_t i, std::int64_t count, const Mask* current) const {
  return pruner_->mask(layers_[i].layer, sparsity_of(count, units_[i]), current);
}

Masks PruningSpace::masks(const UnitCounts& counts, const Masks& current) const {
  Masks masks;
  for (std::size_t i = 0; i < size(); ++i) {
    const auto found = current.find(name(i));
    if (counts[i] > 0) masks[name(i)] = mask(i, counts[i], found == current.end() ? nullptr : &found->second);
  }
  return masks;
}

double sparsity_of(std::int64_t count, std::int64_t units) {
  if (count == 0) return 0;
  return (static_cast<double>(count) + 0.5) / static_cast<double>(units);
}

}  // namespace lathe::compression
