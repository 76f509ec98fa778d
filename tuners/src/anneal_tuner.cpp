#include "anneal_tuner.hpp"

#include <algorithm>

namespace lathe::tuners {
namespace {

constexpr double kShrinkCoefficient = 0.1;

/// One suggestion in the making.
class Annealing {
 public:
  Annealing(const SpaceTree& tree, const History& history, RandomStream& random)
      : tree_(tree), history_(history), random_(random) {}

  double draw(std::size_t node) {
    const Axis& axis = tree_.nodes()[node].axis;
    const std::size_t users = history_.users(node);
    if (users == 0) return axis.sample(random_);
    const double value = model_trial(node).point[node];
    return near(axis, value, 1 / (1 + kShrinkCoefficient * static_cast<double>(users)));
  }

 private:
  const Trial& model_trial(std::size_t node) {
    for (const Trial* followed : followed_) {
      if (is_present(followed->point[node])) return *followed;
    }
    followed_.push_back(&kth_best_user(node, std::min(geometric(), history_.users(node) - 1)));
    return *followed_.back();
  }

  /// P(k) = 2^-(k+1): the number of tails before the first head.
  std::size_t geometric() {
    std::size_t tails = 0;
    while (random_.uniform() < 0.5) ++tails;
    return tails;
  }

  const Trial& kth_best_user(std::size_t node, std::size_t k) const {
    auto rank = history_.ranking().begin();
    for (;; ++rank) {
      if (is_present(rank->trial->point[node]) && k-- == 0) return *rank->trial;
    }
  }

  double near(const Axis& axis, double value, double shrink) {
    if (axis.scale() == Scale::Gaussian) return value + shrink * random_.normal();
    if (axis.scale() == Scale::Categorical || axis.integral()) {
      return random_.uniform() < shrink ? axis.sample(random_) : value;
    }
    const double centre = std::clamp(value, shrink / 2, 1 - shrink / 2);
    return std::clamp(centre + shrink * (random_.uniform() - 0.5), 0.0, 1.0);
  }

  const SpaceTree& tree_;
  const History& history_;
  RandomStream& random_;
  std::vector<const Trial*> followed_;
};

}  // namespace

std::vector<Point> AnnealTuner::propose(const SpaceTree& tree, const History& history, RandomStream& random) const {
  Annealing annealing(tree, history, random);
  return {tree.walk([&](std::size_t node) { return annealing.draw(node); })};
}

}  // namespace lathe::tuners
