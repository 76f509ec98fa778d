#include "analysis/pareto.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace lathe::manager {
namespace {

/// The points so far that are not dominated in the last two objectives: the third falls as the second grows.
class Staircase {
 public:
  [[nodiscard]] bool dominates(const ObjectivePoint& point) const {
    const auto next = steps_.upper_bound(point[1]);
    return next != steps_.begin() && std::prev(next)->second <= point[2];
  }

  void add(const ObjectivePoint& point) {
    auto step = steps_.insert_or_assign(point[1], point[2]).first;
    for (++step; step != steps_.end() && step->second >= point[2];) step = steps_.erase(step);
  }

 private:
  std::map<double, double> steps_;
};

}  // namespace

std::vector<std::size_t> pareto_front(const std::vector<ObjectivePoint>& points) {
  std::vector<std::pair<ObjectivePoint, std::size_t>> order;
  order.reserve(points.size());
  for (std::size_t index = 0; index < points.size(); ++index) order.emplace_back(points[index], index);
  std::sort(order.begin(), order.end());
  // Who dominates a point comes before it, and is no larger in the first objective than anything after.
  std::vector<std::size_t> front;
  Staircase staircase;
  for (const auto& [point, index] : order) {
    const bool is_twin = !front.empty() && points[front.back()] == point;
    if (!is_twin && staircase.dominates(point)) continue;
    staircase.add(point);
    front.push_back(index);
  }
  return front;
}

}  // namespace lathe::manager
