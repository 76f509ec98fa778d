#include "experiment/host_slots.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace lathe::manager {

namespace {

std::int64_t total_running(const std::map<std::string, HostSlots::Use>& uses) {
  std::int64_t total = 0;
  for (const auto& [experiment, use] : uses) total += use.running;
  return total;
}

}  // namespace

bool HostSlots::update(const std::string& experiment, Use use) {
  if (!limit_) return false;
  Use& before = uses_[experiment];
  const bool freed = use.running < before.running || use.wanted < before.wanted;
  before = use;
  share();
  return freed && uses_.size() > 1;
}

bool HostSlots::remove(const std::string& experiment) {
  shares_.erase(experiment);
  if (uses_.erase(experiment) == 0) return false;
  share();
  return !uses_.empty();
}

std::int64_t HostSlots::available(const std::string& experiment) const {
  if (!limit_) return std::numeric_limits<std::int64_t>::max();
  const std::int64_t free = std::max<std::int64_t>(0, *limit_ - total_running(uses_));
  const auto share = shares_.find(experiment);
  // One that has not told what it wants yet may take what is free; its fair share follows from its first update.
  if (share == shares_.end()) return free;
  const std::int64_t running = uses_.at(experiment).running;
  return std::max<std::int64_t>(0, std::min(free, share->second - running));
}

/// Water-filling: whoever wants less than an equal part of what is left gets all it wants; the others split the rest,
/// the first ones getting the remainder.
void HostSlots::share() {
  std::vector<std::pair<std::int64_t, std::string>> wishes;
  for (const auto& [experiment, use] : uses_) wishes.emplace_back(use.wanted, experiment);
  std::sort(wishes.begin(), wishes.end());
  std::int64_t left = *limit_;
  auto sharers = static_cast<std::int64_t>(wishes.size());
  for (const auto& [wanted, experiment] : wishes) {
    const std::int64_t part = (left + sharers - 1) / sharers;
    shares_[experiment] = std::min(wanted, part);
    left -= shares_[experiment];
    --sharers;
  }
}

}  // namespace lathe::manager
