// Drives a tuner as the manager does, with made-up losses.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <lathe/tuners/tuner.hpp>

#include "random.hpp"

namespace lathe::tuners::test {

using Loss = std::function<double(const nlohmann::ordered_json&)>;

inline std::unique_ptr<Tuner> make(proto::TunerKind kind, const proto::SearchSpace& space, std::uint64_t seed = 1,
                                   proto::OptimizeMode mode = proto::OptimizeMode::Minimize) {
  return make_tuner({kind, mode, seed, nlohmann::ordered_json::object()}, space);
}

/// What the manager knows of an experiment.
struct Record {
  std::map<TrialId, nlohmann::ordered_json> parameters;
  std::map<TrialId, std::optional<double>> results;
  std::set<TrialId> pending;
};

/// A loss for any parameters whatever, from a hash of their text; about one in eight trials fails.
inline std::optional<double> scrambled_result(const nlohmann::ordered_json& parameters) {
  std::uint64_t hash = 0;
  for (const char letter : parameters.dump()) hash = SplitMix64(hash ^ static_cast<std::uint64_t>(letter)).next();
  RandomStream random(hash, 0);
  if (random.below(8) == 0) return std::nullopt;
  return random.normal();
}

/// Runs trials at a changing concurrency of 1 to 8; trials end in random order. Some stay pending at the end.
inline Record run_scrambled(Tuner& tuner, int trials, std::uint64_t seed) {
  Record record;
  RandomStream random(seed, 1000);
  for (TrialId id = 0; id < trials; ++id) {
    const std::size_t concurrency = 1 + random.below(8);
    while (record.pending.size() >= concurrency) {
      const auto ended =
          std::next(record.pending.begin(), static_cast<std::ptrdiff_t>(random.below(record.pending.size())));
      record.results[*ended] = scrambled_result(record.parameters.at(*ended));
      tuner.complete(*ended, record.results[*ended]);
      record.pending.erase(ended);
    }
    const auto parameters = tuner.suggest(id);
    if (!parameters) break;
    record.parameters[id] = *parameters;
    record.pending.insert(id);
  }
  return record;
}

/// Tells a fresh tuner everything in an order of its own: trials shuffled, ends as soon or as late as chance has it.
inline void replay(Tuner& tuner, const Record& record, std::uint64_t seed) {
  std::vector<TrialId> ids;
  for (const auto& [id, parameters] : record.parameters) ids.push_back(id);
  RandomStream random(seed, 2000);
  for (std::size_t i = ids.size(); i > 1; --i) std::swap(ids[i - 1], ids[random.below(i)]);
  std::vector<TrialId> late;
  for (const TrialId id : ids) {
    // Through text, as from a database.
    tuner.add_pending(id, nlohmann::ordered_json::parse(record.parameters.at(id).dump()));
    if (record.pending.contains(id)) continue;
    if (random.below(2) == 0)
      tuner.complete(id, record.results.at(id));
    else
      late.push_back(id);
  }
  for (const TrialId id : late) tuner.complete(id, record.results.at(id));
}

/// The best loss after `trials`, with `outstanding` in flight that end in order.
inline double best_loss(proto::TunerKind kind, const proto::SearchSpace& space, const Loss& loss, std::uint64_t seed,
                        int trials, int outstanding) {
  const auto tuner = make(kind, space, seed);
  std::map<TrialId, nlohmann::ordered_json> in_flight;
  double best = INFINITY;
  TrialId next = 0;
  for (TrialId done = 0; done < trials; ++done) {
    for (; next < done + outstanding; ++next) in_flight[next] = tuner->suggest(next).value();
    const double value = loss(in_flight.at(done));
    in_flight.erase(done);
    tuner->complete(done, value);
    best = std::min(best, value);
  }
  return best;
}

}  // namespace lathe::tuners::test
