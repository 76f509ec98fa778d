#include "random_tuner.hpp"

namespace lathe::tuners {

std::vector<Point> RandomTuner::propose(const SpaceTree& tree, const History& /*history*/, RandomStream& random) const {
  return {tree.sample(random)};
}

}  // namespace lathe::tuners
