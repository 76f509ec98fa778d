// How much each parameter decides on whether a trial is among the best: PED-ANOVA (Watanabe, Bansal and Hutter, "PED-
// ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces", IJCAI 2023), in its conditional
// form for search spaces with sub-spaces.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <lathe/proto/search_space.hpp>

#include "analysis/history.hpp"

namespace lathe::manager {

struct ParameterImportance {
  std::string parameter;    ///< its column
  double importance = 0;    ///< 0..1; they sum to 1, unless no parameter makes any difference
  std::size_t regimes = 0;  ///< distributions with which it was active
};

struct Importance {
  static constexpr std::size_t fewest_top_trials = 5;

  std::size_t trials = 0;                  ///< that have a value of the metric
  std::size_t top_trials = 0;              ///< the best of them
  std::vector<ParameterImportance> items;  ///< the most important first, equal ones by name
  std::string reason;                      ///< why there are no items; empty: there are
};

/// The top trials are the best ceil(`top` n), with those that equal the last of them. For each parameter: the sum over
/// its regimes (rows where it is active with one distribution) of alpha^2 / beta times Pearson's divergence of the top
/// trials' density from that of all, alpha and beta being the regime's shares of the top trials and of all. Normalised
/// to
/// 1. What decides which branch is taken is counted for the choice, not for the parameters of the branch. `top` is
/// above 0 and at most 1.
[[nodiscard]] Importance importance_of(const TrialTable& table, const Column& metric, Goal goal,
                                       const proto::SearchSpace& space, double top);

}  // namespace lathe::manager
