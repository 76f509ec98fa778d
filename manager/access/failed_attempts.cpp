#include "access/failed_attempts.hpp"

#include <algorithm>

namespace lathe::manager {
namespace {

using namespace std::chrono_literals;

constexpr auto kFirstDelay = 100ms;
constexpr auto kLongestDelay = 2000ms;
constexpr auto kMemory = 10min;
constexpr std::size_t kMostAddresses = 1024;
constexpr std::uint64_t kAlwaysLogged = 10;

std::chrono::milliseconds delay_for(std::uint64_t count) {
  constexpr std::uint64_t doublings = 5;  // beyond the longest delay
  return std::min<std::chrono::milliseconds>(kFirstDelay * (1u << std::min(count - 1, doublings)), kLongestDelay);
}

}  // namespace

FailedAttempts::Verdict FailedAttempts::count(const std::string& address, Clock::time_point now) {
  if (records_.size() >= kMostAddresses && records_.count(address) == 0) make_room(now);
  Record& record = records_[address];
  if (record.count > 0 && now - record.last >= kMemory) record.count = 0;
  record.last = now;
  ++record.count;
  const bool is_power_of_two = (record.count & (record.count - 1)) == 0;
  return {record.count, delay_for(record.count), record.count <= kAlwaysLogged || is_power_of_two};
}

void FailedAttempts::make_room(Clock::time_point now) {
  std::erase_if(records_, [now](const auto& entry) { return now - entry.second.last >= kMemory; });
  if (records_.size() < kMostAddresses) return;
  records_.erase(std::min_element(records_.begin(), records_.end(),
                                  [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
}

}  // namespace lathe::manager
