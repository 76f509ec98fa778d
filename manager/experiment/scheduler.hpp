// What an experiment should do next. A pure function: no clock, no I/O, no memory of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <lathe/proto/status.hpp>

#include "storage/records.hpp"

namespace lathe::manager {

struct WaitingTrial {
  std::int64_t sequence = 0;
  bool customized = false;  ///< given by hand: goes first
};

/// Everything a decision depends on.
struct Situation {
  proto::ExperimentStatus status = proto::ExperimentStatus::Initialized;
  PreparationState preparation = PreparationState::None;
  std::int64_t concurrency = 1;
  std::int64_t submitted = 0;  ///< trials made so far, in whatever state
  std::optional<std::int64_t> max_trials;
  Milliseconds run_ms = 0;
  std::optional<Milliseconds> max_run_ms;
  std::int64_t running = 0;  ///< trials, without the preparation
  std::vector<WaitingTrial> waiting;
  bool tuner_exhausted = false;  ///< the tuner has nothing left to suggest
  std::int64_t free_slots = 0;   ///< trials that the hosts have room for, as far as this experiment is concerned
  std::string obstacle;          ///< why nothing at all can be started now; empty: nothing is in the way
  bool closing = false;          ///< the daemon is being stopped: nothing new
};

struct Decision {
  proto::ExperimentStatus status = proto::ExperimentStatus::Initialized;
  bool prepare = false;               ///< start the preparation
  std::int64_t suggest = 0;           ///< new trials to ask the tuner for; decide again once they are there
  std::vector<std::int64_t> start;    ///< waiting trials to start, by sequence
  std::vector<std::int64_t> give_up;  ///< waiting trials that can never start: the time of the experiment is over
  std::string wait_reason;            ///< why the remaining waiting trials wait
};

[[nodiscard]] Decision decide(const Situation& situation);

/// True in the states whose time counts towards maxExperimentDuration.
[[nodiscard]] bool counts_time(proto::ExperimentStatus status);

/// True in DONE, STOPPED and ERROR: nothing happens until somebody asks for it.
[[nodiscard]] bool is_at_rest(proto::ExperimentStatus status);

}  // namespace lathe::manager
