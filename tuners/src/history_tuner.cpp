#include "history_tuner.hpp"

#include <stdexcept>
#include <string>

#include "deduplicator.hpp"

namespace lathe::tuners {

using nlohmann::ordered_json;

HistoryTuner::HistoryTuner(const proto::SearchSpace& space, proto::OptimizeMode mode, std::uint64_t seed)
    : tree_(space), history_(mode), seed_(seed) {
  history_.reread(tree_);
}

std::optional<ordered_json> HistoryTuner::suggest(TrialId id) {
  if (history_.knows(id)) throw std::logic_error("trial " + std::to_string(id) + " has its parameters already");
  RandomStream random(seed_, static_cast<std::uint64_t>(id));
  const std::vector<Point> proposals = propose(tree_, history_, random);
  const std::optional<Point> chosen = tree_.is_finite() ? first_unseen(proposals, tree_, history_) : proposals.front();
  if (!chosen) return std::nullopt;
  ordered_json parameters = tree_.parameters(*chosen);
  history_.add(id, parameters, tree_);
  return parameters;
}

void HistoryTuner::add_pending(TrialId id, const ordered_json& parameters) {
  history_.add(id, parameters, tree_);
}

void HistoryTuner::complete(TrialId id, std::optional<double> metric) {
  history_.complete(id, metric);
}

void HistoryTuner::update_search_space(const proto::SearchSpace& space) {
  tree_ = SpaceTree(space);
  history_.reread(tree_);
}

}  // namespace lathe::tuners
