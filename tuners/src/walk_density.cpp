#include "walk_density.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lathe::tuners {
namespace {

KernelColumn make_column(const SpaceTree& tree, std::size_t node, const std::vector<const Point*>& observations,
                         double prior_weight) {
  std::vector<std::size_t> rows;
  std::vector<double> values;
  for (std::size_t row = 0; row < observations.size(); ++row) {
    const double value = (*observations[row])[node];
    if (!is_present(value)) continue;
    rows.push_back(row);
    values.push_back(value);
  }
  return {tree.nodes()[node].axis, std::move(rows), std::move(values), observations.size(), prior_weight};
}

double log_sum_exp(const std::vector<double>& terms) {
  // exp(-40) is below the last bit of the sum, and far kernels are the rule in many dimensions.
  constexpr double kNegligible = -40;
  const double largest = *std::max_element(terms.begin(), terms.end());
  double sum = 0;
  for (const double term : terms) {
    if (term - largest > kNegligible) sum += std::exp(term - largest);
  }
  return largest + std::log(sum);
}

}  // namespace

WalkDensity::WalkDensity(const SpaceTree& tree, const std::vector<const Point*>& observations,
                         const std::vector<double>& weights, double prior_weight)
    : tree_(&tree), cumulative_(weights.size()) {
  std::partial_sum(weights.begin(), weights.end(), cumulative_.begin());
  const double total = cumulative_.back();
  log_weights_.reserve(weights.size());
  for (const double weight : weights) log_weights_.push_back(std::log(weight / total));
  columns_.reserve(tree.size());
  for (std::size_t node = 0; node < tree.size(); ++node) {
    columns_.push_back(make_column(tree, node, observations, prior_weight));
  }
}

Point WalkDensity::sample(RandomStream& random) const {
  const auto picked =
      std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, random.uniform() * cumulative_.back());
  const auto row = static_cast<std::size_t>(picked - cumulative_.begin());
  return tree_->walk([&](std::size_t node) {
    const std::optional<double> drawn = columns_[node].sample(row, random);
    return drawn ? *drawn : tree_->nodes()[node].axis.sample(random);
  });
}

double WalkDensity::log_ratio(const Point& x) const {
  std::vector<double> terms = log_weights_;
  for (std::size_t node = 0; node < columns_.size(); ++node) {
    if (is_present(x[node])) columns_[node].add_log_ratios(x[node], terms);
  }
  return log_sum_exp(terms);
}

}  // namespace lathe::tuners
