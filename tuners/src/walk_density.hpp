// A density over walks of the space tree: a mixture of one kernel for each trial of a set, and of the prior.
//
//   kernel of trial i at walk x  =  product over the parameters active in x of
//                                     k_ij(x_j)   where trial i used parameter j
//                                     prior_j     where it did not
//
// It integrates to one at any depth of nesting, keeps what parameters shared between branches have to do with each
// other, and is sampled by the same walk: pick a kernel, then at each node draw from it or from the prior. All
// densities here are relative to the prior's, so that whatever a trial did not use cancels.
#pragma once

#include <cstddef>
#include <vector>

#include "kernel_column.hpp"
#include "random.hpp"
#include "space_tree.hpp"

namespace lathe::tuners {

class WalkDensity {
 public:
  /// `weights` has one entry (>= 0) for each observation and a last one for the prior; their sum is positive.
  /// `prior_weight` is that of Optuna's kernel over options. Tree and observations must outlive the density.
  WalkDensity(const SpaceTree& tree, const std::vector<const Point*>& observations, const std::vector<double>& weights,
              double prior_weight);

  [[nodiscard]] Point sample(RandomStream& random) const;

  /// log(density(x) / prior(x)).
  [[nodiscard]] double log_ratio(const Point& x) const;

 private:
  const SpaceTree* tree_;
  std::vector<double> log_weights_;  // normalised
  std::vector<double> cumulative_;
  std::vector<KernelColumn> columns_;
};

}  // namespace lathe::tuners
