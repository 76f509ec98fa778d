// Random numbers that are the same on every platform: SplitMix64 (Steele, Lea and Flood, 2014).
#pragma once

#include <cstdint>

namespace lathe::compression {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  [[nodiscard]] std::uint64_t bits() {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
  }

  /// low <= x < high.
  [[nodiscard]] double uniform(double low, double high) {
    constexpr double unit = 0x1p-53;
    return low + (high - low) * (static_cast<double>(bits() >> 11) * unit);
  }

 private:
  std::uint64_t state_;
};

}  // namespace lathe::compression
