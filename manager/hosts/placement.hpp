// On which host a trial goes, and with which GPUs, or why it has to wait. Pure: no clock, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hosts/host_spec.hpp"

namespace lathe::manager {

struct GpuView {
  std::int64_t index = 0;
  std::string busy;         ///< who else uses it: "pid 4711 (python) of ana"; empty: nobody
  std::int64_t trials = 0;  ///< of ours, that have it
};

/// A host as one experiment may use it now.
struct Candidate {
  HostSpec spec;
  std::string obstacle;      ///< why nothing can be started there; empty: nothing is in the way
  std::int64_t running = 0;  ///< trials of all experiments
  std::int64_t share = 0;    ///< how many more this experiment may start there, by its fair part of the slots
  std::vector<GpuView> gpus;
  std::string gpu_trouble;  ///< why `gpus` may lack some; empty: these are all
};

struct Place {
  std::string host;
  std::vector<std::int64_t> gpus;

  friend bool operator==(const Place&, const Place&) = default;
};

struct Offer {
  std::vector<Place> places;
  std::string reason;  ///< why there are not more; empty when there are `most`
};

/// Places for up to `most` trials that each need so many GPUs (none and 0: GPUs do not matter). Services fill in the
/// order of the config; within one the host with the smallest part of its slots in use goes first (without slots: with
/// the fewest trials), then the order of the config. Of GPUs those with the fewest trials go first.
[[nodiscard]] Offer find_places(std::optional<std::int64_t> gpus, std::int64_t most, std::vector<Candidate> candidates);

/// The host where a demand that cannot be met comes nearest to being met once trials of ours end; none: it never is.
[[nodiscard]] std::optional<std::string> nearest_host(std::int64_t gpus, const std::vector<Candidate>& candidates);

}  // namespace lathe::manager
