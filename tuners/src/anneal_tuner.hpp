// Simulated annealing as hyperopt has it (hyperopt/anneal.py; Bergstra, Yamins and Cox 2013): without temperature or
// rejection, a random search around one of the best trials whose reach shrinks with experience.
//
// For each active parameter that T trials have used (T = 0: a draw from the prior):
//   model trial   the first trial that this suggestion has followed already and that used the parameter, so that
//                 related values come from one trial; else the k-th best of the T, P(k) = 2^-(k+1), k < T
//   shrink        s = 1 / (1 + 0.1 T)
//   uniform       on a window of s times the range around the model's value, moved to lie inside the range
//   normal        around the model's value with s times the prior's sigma
//   choice and randint   the model's value with probability 1 - s, else a draw from the prior
// Log types do this to the logarithm, q types round afterwards. Pending and failed trials count as infinitely bad.
#pragma once

#include "history_tuner.hpp"

namespace lathe::tuners {

class AnnealTuner final : public HistoryTuner {
 public:
  using HistoryTuner::HistoryTuner;

 protected:
  [[nodiscard]] std::vector<Point> propose(const SpaceTree& tree, const History& history,
                                           RandomStream& random) const override;
};

}  // namespace lathe::tuners
