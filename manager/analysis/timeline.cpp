#include "analysis/timeline.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <queue>
#include <utility>

namespace lathe::manager {
namespace {

template <class T>
using SmallestFirst = std::priority_queue<T, std::vector<T>, std::greater<>>;

class HostSlots {
 public:
  std::uint32_t take(double start, double end) {
    while (!busy_.empty() && busy_.top().first <= start) {
      free_.push(busy_.top().second);
      busy_.pop();
    }
    std::uint32_t slot = count_;
    if (free_.empty()) {
      ++count_;
    } else {
      slot = free_.top();
      free_.pop();
    }
    busy_.emplace(end, slot);
    return slot;
  }

 private:
  SmallestFirst<std::pair<double, std::uint32_t>> busy_;  ///< end, slot
  SmallestFirst<std::uint32_t> free_;
  std::uint32_t count_ = 0;
};

}  // namespace

std::vector<std::uint32_t> slots_of(const std::vector<HostSpan>& spans) {
  std::vector<std::size_t> order(spans.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return spans[a].start < spans[b].start; });
  std::map<std::uint32_t, HostSlots> hosts;
  std::vector<std::uint32_t> slots(spans.size());
  for (const std::size_t index : order) {
    slots[index] = hosts[spans[index].host].take(spans[index].start, spans[index].end);
  }
  return slots;
}

}  // namespace lathe::manager
