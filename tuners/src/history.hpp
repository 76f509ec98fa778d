// What is known of an experiment's trials. Everything a tuner learns from is here, and nothing depends on the order in
// which trials were added or ended: trials are kept by id, and equal losses rank by id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/experiment_config.hpp>
#include <lathe/tuners/tuner.hpp>

#include "space_tree.hpp"

namespace lathe::tuners {

enum class TrialState { Pending, Finished, Failed };

struct Trial {
  TrialState state = TrialState::Pending;
  double loss = 0;                       ///< smaller is better; +infinity unless Finished
  Point point;                           ///< read against the current space
  std::vector<std::uint8_t> parameters;  ///< as the trial received them, in CBOR: read again when the space changes
};

class History {
 public:
  struct Rank {
    double loss;
    TrialId id;
    const Trial* trial;
    friend bool operator<(const Rank& a, const Rank& b) { return a.loss != b.loss ? a.loss < b.loss : a.id < b.id; }
  };

  explicit History(proto::OptimizeMode mode) : mode_(mode) {}

  /// Adds a pending trial; an id that is known already is ignored.
  void add(TrialId id, const nlohmann::ordered_json& parameters, const SpaceTree& tree);
  /// Ends a pending trial; other ids are ignored. A metric that is not finite counts as none.
  void complete(TrialId id, std::optional<double> metric);
  /// Reads all parameters again, against another space.
  void reread(const SpaceTree& tree);

  [[nodiscard]] bool knows(TrialId id) const { return trials_.contains(id); }
  [[nodiscard]] const std::map<TrialId, Trial>& trials() const { return trials_; }
  /// All trials, best first; pending and failed ones last.
  [[nodiscard]] const std::set<Rank>& ranking() const { return ranking_; }
  /// Number of trials with a loss: the first of ranking().
  [[nodiscard]] std::size_t finished() const { return finished_; }
  [[nodiscard]] const std::set<TrialId>& pending() const { return pending_; }
  /// Number of trials that used a node, in any state.
  [[nodiscard]] std::size_t users(std::size_t node) const { return users_[node]; }
  /// Some trial, failed ones included, has this canonical point. Kept for finite spaces only.
  [[nodiscard]] bool has_seen(const Point& point) const;

 private:
  void learn(const Trial& trial, const SpaceTree& tree);

  proto::OptimizeMode mode_;
  std::map<TrialId, Trial> trials_;
  std::set<Rank> ranking_;
  std::set<TrialId> pending_;
  std::size_t finished_ = 0;
  std::vector<std::size_t> users_;
  std::unordered_set<std::string> seen_;
};

}  // namespace lathe::tuners
