// What the agent is told to run for a trial. Pure.
#pragma once

#include <filesystem>

#include <lathe/proto/frames.hpp>

#include "experiment/state.hpp"

namespace lathe::manager {

/// The present attempt of a trial. `trial_program` runs the trials of compression experiments.
[[nodiscard]] proto::StartTrial launch_trial(const ExperimentState& state, const TrialRow& trial,
                                             const std::filesystem::path& trial_program);

/// The measurement of the original model.
[[nodiscard]] proto::StartTrial launch_preparation(const ExperimentState& state,
                                                   const std::filesystem::path& trial_program);

}  // namespace lathe::manager
