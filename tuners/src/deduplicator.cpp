#include "deduplicator.hpp"

namespace lathe::tuners {

std::optional<Point> first_unseen(const std::vector<Point>& proposals, const SpaceTree& tree, const History& history) {
  for (const Point& proposal : proposals) {
    const Point point = tree.canonical(proposal);
    if (!history.has_seen(point)) return point;
  }
  // Successive grid points differ until the odometer has gone round, and no more of them are used than there are
  // trials.
  Point point = tree.canonical(proposals.front());
  for (std::size_t step = 0; step <= history.trials().size(); ++step) {
    point = tree.successor(point);
    if (!history.has_seen(point)) return point;
  }
  return std::nullopt;
}

}  // namespace lathe::tuners
