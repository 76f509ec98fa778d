// Wall-clock time as the frames carry it.
#pragma once

#include <chrono>
#include <cstdint>

namespace lathe::agent {

[[nodiscard]] inline std::int64_t unix_time_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace lathe::agent
