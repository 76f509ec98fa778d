#include "tpe_tuner.hpp"

#include <algorithm>
#include <utility>

#include "tpe_split.hpp"
#include "walk_density.hpp"

namespace lathe::tuners {
namespace {

struct Candidate {
  Point point;
  double score;
};

WalkDensity density(const SpaceTree& tree, const WeightedTrials& trials, double prior_weight) {
  return {tree, trials.points, trials.weights, prior_weight};
}

}  // namespace

std::vector<Point> TpeTuner::propose(const SpaceTree& tree, const History& history, RandomStream& random) const {
  if (history.finished() < std::max<std::size_t>(options_.startup, 1)) return {tree.sample(random)};
  const Split split = split_trials(history, options_);
  const WalkDensity good = density(tree, split.good, options_.prior_weight);
  const WalkDensity bad = density(tree, split.bad, options_.prior_weight);
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < options_.candidates; ++i) {
    Point point = tree.canonical(good.sample(random));
    const double score = good.log_ratio(point) - bad.log_ratio(point);
    candidates.push_back({std::move(point), score});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  std::vector<Point> proposals;
  for (Candidate& candidate : candidates) proposals.push_back(std::move(candidate.point));
  return proposals;
}

}  // namespace lathe::tuners
