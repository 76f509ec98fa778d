#include "iterative/sparsity_draws.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <lathe/compression/simulated_annealing.hpp>

namespace lathe::compression {

std::optional<std::vector<double>> rescale_sparsities(std::vector<std::int64_t> sizes, std::vector<double> sparsities,
                                                      double target) {
  std::sort(sizes.begin(), sizes.end());
  std::sort(sparsities.begin(), sparsities.end());
  double total = 0;
  double pruned = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    total += static_cast<double>(sizes[i]);
    pruned += std::trunc(static_cast<double>(sizes[i]) * sparsities[i]);
  }
  if (pruned == 0) return std::nullopt;
  const double scale = target / (pruned / total);
  for (double& sparsity : sparsities) sparsity *= scale;
  return sparsities;
}

template <class Draw>
std::vector<double> SparsityDraws::first_valid(const Draw& draw) {
  constexpr int most_draws = 1000;
  std::vector<double> drawn(sizes_.size());
  for (int i = 0; i < most_draws; ++i) {
    for (std::size_t layer = 0; layer < drawn.size(); ++layer) drawn[layer] = draw(layer);
    auto rescaled = rescale_sparsities(sizes_, drawn, target_);
    if (rescaled && rescaled->back() < 1) return *rescaled;
  }
  std::sort(drawn.begin(), drawn.end());
  return shared_out(std::move(drawn));
}

std::vector<double> SparsityDraws::initial() {
  return first_valid([this](std::size_t) { return random_.uniform(0, 1); });
}

std::vector<double> SparsityDraws::perturbed(const std::vector<double>& sparsities, double magnitude) {
  return first_valid(
      [&](std::size_t layer) { return std::max(0.0, sparsities[layer] + random_.uniform(-magnitude, magnitude)); });
}

std::vector<double> SparsityDraws::shared_out(std::vector<double> sparsities) const {
  const double total = std::accumulate(sizes_.begin(), sizes_.end(), 0.0);
  std::vector<bool> full(sparsities.size());
  for (std::size_t round = 0; round < sparsities.size(); ++round) {
    double wanted = target_ * total;  // of the layers that are not full
    double free = 0;
    double pruned = 0;
    for (std::size_t i = 0; i < sparsities.size(); ++i) {
      const auto size = static_cast<double>(sizes_[i]);
      wanted -= full[i] ? size : 0;
      free += full[i] ? 0 : size;
      pruned += full[i] ? 0 : size * sparsities[i];
    }
    bool overflowed = false;
    for (std::size_t i = 0; i < sparsities.size(); ++i) {
      if (full[i]) continue;
      sparsities[i] = pruned > 0 ? sparsities[i] * wanted / pruned : wanted / free;
      if (sparsities[i] < 1) continue;
      sparsities[i] = 1;
      full[i] = overflowed = true;
    }
    if (!overflowed) break;
  }
  return sparsities;
}

}  // namespace lathe::compression
