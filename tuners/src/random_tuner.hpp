// Random search: every active parameter drawn independently from its prior.
#pragma once

#include "history_tuner.hpp"

namespace lathe::tuners {

class RandomTuner final : public HistoryTuner {
 public:
  using HistoryTuner::HistoryTuner;

 protected:
  [[nodiscard]] std::vector<Point> propose(const SpaceTree& tree, const History& history,
                                           RandomStream& random) const override;
};

}  // namespace lathe::tuners
