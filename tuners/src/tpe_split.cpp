#include "tpe_split.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_set>

namespace lathe::tuners {
namespace {

using Rank = History::Rank;

constexpr double kLeastWeight = 1e-12;
constexpr double kLargestWeight = 1e300;  // a sum of them stays finite
constexpr std::size_t kBadCap = 2000;

/// The loss that stands for a pending trial's; nullopt when pending trials get none.
std::optional<double> lie(const History& history, Liar liar) {
  if (liar == Liar::Bad || liar == Liar::Ignore || history.finished() == 0) return std::nullopt;
  const auto& ranking = history.ranking();
  const auto last = std::next(ranking.begin(), static_cast<std::ptrdiff_t>(history.finished()) - 1);
  switch (liar) {
    case Liar::Best:
      return ranking.begin()->loss;
    case Liar::Worst:
      return last->loss;
    case Liar::Mean: {
      const auto add = [](double sum, const Rank& rank) { return sum + rank.loss; };
      return std::accumulate(ranking.begin(), std::next(last), 0.0, add) / static_cast<double>(history.finished());
    }
    case Liar::Bad:
    case Liar::Ignore:
      break;
  }
  return std::nullopt;
}

/// The best `count` + 1 trials by loss or lie, or all where there are fewer.
std::vector<Rank> best_trials(const History& history, std::size_t count, std::optional<double> lie) {
  const auto begin = history.ranking().begin();
  const auto finished = static_cast<std::ptrdiff_t>(std::min(count + 1, history.finished()));
  std::vector<Rank> best(begin, std::next(begin, finished));
  if (lie) {
    for (const TrialId id : history.pending()) best.push_back({*lie, id, &history.trials().at(id)});
    std::sort(best.begin(), best.end());
  }
  best.resize(std::min(best.size(), count + 1));
  return best;
}

/// `best` is the good trials followed, where there is one, by the best that is not good.
WeightedTrials weigh_good(const std::vector<Rank>& best, std::size_t count, double prior_weight) {
  WeightedTrials good;
  const bool has_threshold = best.size() > count;
  for (std::size_t i = 0; i < count; ++i) {
    const double gain = has_threshold ? best[count].loss - best[i].loss : 1;
    good.points.push_back(&best[i].trial->point);
    good.weights.push_back(std::min(std::max(kLeastWeight, gain), kLargestWeight));
  }
  const double total = std::accumulate(good.weights.begin(), good.weights.end(), 0.0);
  good.weights.push_back(prior_weight * (count == 0 ? 1 : total / static_cast<double>(count)));
  return good;
}

WeightedTrials weigh_bad(const History& history, const std::unordered_set<TrialId>& good, const TpeOptions& options) {
  const bool skips_pending = options.liar == Liar::Ignore;
  std::size_t total = history.trials().size() - good.size();
  if (skips_pending) total -= history.pending().size();
  WeightedTrials bad;
  const auto& trials = history.trials();
  for (auto trial = trials.rbegin(); trial != trials.rend() && bad.points.size() < kBadCap; ++trial) {
    if (skips_pending && trial->second.state == TrialState::Pending) continue;
    if (!good.contains(trial->first)) bad.points.push_back(&trial->second.point);
  }
  std::reverse(bad.points.begin(), bad.points.end());
  const std::vector<double> weights = forgetting_weights(total, options.forgetting);
  bad.weights.assign(weights.end() - static_cast<std::ptrdiff_t>(bad.points.size()), weights.end());
  bad.weights.push_back(options.prior_weight);
  return bad;
}

}  // namespace

std::vector<double> forgetting_weights(std::size_t n, std::size_t flat) {
  std::vector<double> weights(n, 1.0);
  if (n <= flat) return weights;
  const std::size_t ramp = n - flat;
  const double start = 1 / static_cast<double>(n);
  for (std::size_t i = 0; i < ramp; ++i) {
    weights[i] = ramp == 1 ? start : start + (1 - start) * static_cast<double>(i) / static_cast<double>(ramp - 1);
  }
  return weights;
}

Split split_trials(const History& history, const TpeOptions& options) {
  const std::optional<double> pending_loss = lie(history, options.liar);
  const std::size_t ranked = history.finished() + (pending_loss ? history.pending().size() : 0);
  const std::size_t count = options.good_of(ranked);
  const std::vector<Rank> best = best_trials(history, count, pending_loss);
  std::unordered_set<TrialId> good;
  for (std::size_t i = 0; i < count; ++i) good.insert(best[i].id);
  return {weigh_good(best, count, options.prior_weight), weigh_bad(history, good, options)};
}

}  // namespace lathe::tuners
