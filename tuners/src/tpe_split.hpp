// The first half of TPE: which trials are good, which are bad, and how much each of them weighs.
#pragma once

#include <cstddef>
#include <vector>

#include "history.hpp"
#include "tpe_options.hpp"

namespace lathe::tuners {

/// A set of trials with the weights of their kernels; the last weight is the prior's.
struct WeightedTrials {
  std::vector<const Point*> points;
  std::vector<double> weights;
};

struct Split {
  WeightedTrials good;
  WeightedTrials bad;
};

/// One split of the whole experiment, whichever branches its trials took.
///
/// Good: the best good_of(n) of the n finished trials (and of the pending ones, when a liar gives them a loss; ties go
/// to the older trial). Each weighs what it improves on the best loss that is not good, max(1e-12, y* - y), and the
/// prior prior_weight times the mean of that (Watanabe 2023, "EI" weights). Equal weights where there is no such y*.
///
/// Bad: the others, pending and failed ones included, by age: the `forgetting` newest weigh 1, older ones less and
/// less, down to 1/n in a straight line (Bergstra 2013, linear forgetting). Only the 2,000 newest are kept, so that a
/// long experiment does not slow down.
[[nodiscard]] Split split_trials(const History& history, const TpeOptions& options);

/// Weights of n trials, oldest first: `flat` newest with 1 after a ramp that starts at 1/n.
[[nodiscard]] std::vector<double> forgetting_weights(std::size_t n, std::size_t flat);

}  // namespace lathe::tuners
