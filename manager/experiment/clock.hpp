// The two clocks of the daemon: one for what is written down, one for how long something took.
#pragma once

#include <chrono>

#include "storage/records.hpp"

namespace lathe::manager {

/// Unix time.
[[nodiscard]] inline Milliseconds unix_now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// Never goes back, whatever happens to the wall clock; only differences mean anything.
[[nodiscard]] inline Milliseconds steady_now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace lathe::manager
