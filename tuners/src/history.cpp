#include "history.hpp"

#include <cmath>
#include <cstring>
#include <limits>

namespace lathe::tuners {
namespace {

using nlohmann::ordered_json;

constexpr double kNoLoss = std::numeric_limits<double>::infinity();

std::string key_of(const Point& point) {
  std::string key(point.size() * sizeof(double), '\0');
  for (std::size_t i = 0; i < point.size(); ++i) {
    // One bit pattern for all that is absent, whatever NaN it came as.
    const double value = is_present(point[i]) ? point[i] : kAbsent;
    std::memcpy(key.data() + i * sizeof(double), &value, sizeof(double));
  }
  return key;
}

}  // namespace

void History::add(TrialId id, const ordered_json& parameters, const SpaceTree& tree) {
  const auto [entry, inserted] = trials_.try_emplace(id);
  if (!inserted) return;
  Trial& trial = entry->second;
  trial = {TrialState::Pending, kNoLoss, tree.read(parameters), ordered_json::to_cbor(parameters)};
  ranking_.insert({kNoLoss, id, &trial});
  pending_.insert(id);
  learn(trial, tree);
}

void History::complete(TrialId id, std::optional<double> metric) {
  if (pending_.erase(id) == 0) return;
  Trial& trial = trials_.at(id);
  trial.state = TrialState::Failed;
  if (!metric || !std::isfinite(*metric)) return;
  ranking_.erase({trial.loss, id, &trial});
  trial.state = TrialState::Finished;
  trial.loss = mode_ == proto::OptimizeMode::Minimize ? *metric : -*metric;
  ranking_.insert({trial.loss, id, &trial});
  ++finished_;
}

void History::reread(const SpaceTree& tree) {
  users_.assign(tree.size(), 0);
  seen_.clear();
  for (auto& [id, trial] : trials_) {
    trial.point = tree.read(ordered_json::from_cbor(trial.parameters));
    learn(trial, tree);
  }
}

void History::learn(const Trial& trial, const SpaceTree& tree) {
  users_.resize(tree.size(), 0);
  for (std::size_t node = 0; node < tree.size(); ++node) users_[node] += is_present(trial.point[node]) ? 1 : 0;
  if (tree.is_finite()) seen_.insert(key_of(trial.point));
}

bool History::has_seen(const Point& point) const {
  return seen_.contains(key_of(point));
}

}  // namespace lathe::tuners
