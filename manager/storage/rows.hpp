// Records together with what the daemon must remember about them but nobody is shown.
#pragma once

#include <cstdint>
#include <string>

#include "storage/records.hpp"

namespace lathe::manager {

struct ExperimentRow {
  ExperimentRecord record;
  std::int64_t preparation_attempt = 0;
  std::int64_t preparation_losses = 0;  ///< attempts whose end nobody saw
  std::string preparation_agent;        ///< state_id of the agent that was told to start it; empty: none yet
  std::string preparation_host;         ///< where that is
};

struct TrialRow {
  TrialRecord record;
  std::string agent;          ///< state_id of the agent that was told to start this attempt; empty: not started
  std::string kill_reason;    ///< "user" or "stop" once its end is wanted; survives a restart until the trial has ended
  std::int64_t losses = 0;    ///< attempts whose end nobody saw (requeued ones are not counted)
  std::int64_t failures = 0;  ///< attempts that failed by themselves and were run again
};

/// An attempt that is over while its trial goes on, on its way into the database.
struct AttemptRow {
  std::string experiment_id;
  std::int64_t trial = 0;  ///< sequence number of the trial
  AttemptRecord record;
};

/// A metric on its way into the database.
struct MetricRow {
  std::string experiment_id;
  std::int64_t trial = 0;  ///< sequence number of the trial
  std::int64_t attempt = 0;
  MetricRecord record;  ///< trial_id is not stored
};

}  // namespace lathe::manager
