// What all tuners share: a history, the replay of it, and the rule that a finite space never repeats a configuration. A
// tuner proper is a function from history and random stream to proposals.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <lathe/tuners/tuner.hpp>

#include "history.hpp"
#include "random.hpp"
#include "space_tree.hpp"

namespace lathe::tuners {

class HistoryTuner : public Tuner {
 public:
  HistoryTuner(const proto::SearchSpace& space, proto::OptimizeMode mode, std::uint64_t seed);

  /// Throws std::logic_error for an id that is known already.
  [[nodiscard]] std::optional<nlohmann::ordered_json> suggest(TrialId id) final;
  void add_pending(TrialId id, const nlohmann::ordered_json& parameters) final;
  void complete(TrialId id, std::optional<double> metric) final;
  void update_search_space(const proto::SearchSpace& space) final;

 protected:
  /// One proposal or more, best first. The first that is new is taken, in an infinite space simply the first.
  [[nodiscard]] virtual std::vector<Point> propose(const SpaceTree& tree, const History& history,
                                                   RandomStream& random) const = 0;

 private:
  SpaceTree tree_;
  History history_;
  std::uint64_t seed_;
};

}  // namespace lathe::tuners
