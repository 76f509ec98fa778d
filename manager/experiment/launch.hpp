// What a host is told to run for a trial. Pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <lathe/proto/frames.hpp>

#include "experiment/state.hpp"
#include "hosts/host.hpp"
#include "hosts/host_spec.hpp"

namespace lathe::manager {

/// The host that a trial is put on, as far as its launch depends on it.
struct Station {
  HostSpec spec;
  proto::Hello hello;
  std::vector<std::int64_t> gpus;  ///< given to the trial
};

/// The present attempt of a trial. `trial_program` is this machine's lathe-trial, for compression experiments.
[[nodiscard]] Launch launch_trial(const ExperimentState& state, const TrialRow& trial, const Station& station,
                                  const std::filesystem::path& trial_program);

/// The measurement of the original model.
[[nodiscard]] Launch launch_preparation(const ExperimentState& state, const Station& station,
                                        const std::filesystem::path& trial_program);

}  // namespace lathe::manager
