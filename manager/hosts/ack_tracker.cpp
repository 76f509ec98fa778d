#include "hosts/ack_tracker.hpp"

#include <algorithm>

namespace lathe::manager {

bool AckTracker::receive(std::uint64_t sequence) {
  if (open_.contains(sequence)) return false;
  repeat_ = repeat_ || sequence <= said_;
  received_ = std::max(received_, sequence);
  open_.insert(sequence);
  return true;
}

void AckTracker::commit(std::uint64_t sequence) {
  open_.erase(sequence);
}

std::optional<std::uint64_t> AckTracker::take_ack() {
  const std::uint64_t covered = open_.empty() ? received_ : *open_.begin() - 1;
  if (covered <= said_ && !repeat_) return std::nullopt;
  if (covered < said_) return std::nullopt;
  said_ = covered;
  repeat_ = false;
  return covered;
}

}  // namespace lathe::manager
