// Densities on a grid of few cells, as PED-ANOVA compares them.
#pragma once

#include <vector>

namespace lathe::manager {

/// The probability of each cell of an ordered grid, of which `counts` holds the observations: a mixture of discrete
/// normal distributions, truncated to the grid, one on each cell that has observations, weighted by their number, with
/// the bandwidth of Scott's rule (1.059 min(IQR / 1.34, s) n^-0.2, at least 0.5 / 1.64: D. W. Scott, "Multivariate
/// Density Estimation", 1992), and of a prior of weight 1 in the middle, as wide as the grid. Needs an observation.
[[nodiscard]] std::vector<double> ordered_density(const std::vector<double>& counts);

/// The same for categories: the kernel of a category that was observed is 1 on it plus 1 / (k + 1) everywhere, k
/// categories being observed, made to sum to 1; the prior of weight 1 is uniform. Needs an observation.
[[nodiscard]] std::vector<double> category_density(const std::vector<double>& counts);

/// Pearson's divergence of `top` from `all`: the sum over cells of all (top / all - 1)^2.
[[nodiscard]] double pearson_divergence(const std::vector<double>& top, const std::vector<double>& all);

}  // namespace lathe::manager
