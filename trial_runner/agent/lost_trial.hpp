// Trials whose agent died under them. Their processes run on, as children of somebody else: how they end can no longer
// be learned, so they are ended for good and reported as lost.
#pragma once

#include <vector>

#include "spool.hpp"

namespace lathe::agent {

/// Kills what is left of each trial's process group and waits until it is gone, a few seconds at most. A process counts
/// as part of it only while start time, boot, group and session say so: ids come back. Returns what would not go.
std::vector<RunningTrial> end_lost_trials(const std::vector<RunningTrial>& trials);

}  // namespace lathe::agent
