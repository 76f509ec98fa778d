#include "hosts/host_slots.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace lathe::manager {

void HostSlots::set_limit(std::optional<std::int64_t> limit) {
  limit_ = limit;
  share();
}

std::int64_t HostSlots::running() const {
  std::int64_t total = 0;
  for (const auto& [experiment, use] : uses_) total += use.running;
  return total;
}

bool HostSlots::update(const std::string& experiment, Use use) {
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
  const std::int64_t free = std::max<std::int64_t>(0, *limit_ - running());
  const auto share = shares_.find(experiment);
  // One that has not told what it wants yet may take what is free; its fair share follows from its first update.
  if (share == shares_.end()) return free;
  const std::int64_t running = uses_.at(experiment).running;
  return std::max<std::int64_t>(0, std::min(free, share->second - running));
}

/// Water-filling: whoever wants less than an equal part of what is left gets all it wants; the others split the rest,
/// the first ones getting the remainder.
void HostSlots::share() {
  shares_.clear();
  if (!limit_) return;
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
