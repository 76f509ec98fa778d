// Random numbers that are the same with every compiler and library.
#pragma once

#include <cstdint>

namespace lathe::compression {

/// A well-mixed 64-bit value of `value`: the output function of SplitMix64 (Steele, Lea and Flood, 2014).
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

/// SplitMix64, a generator for std-like use.
class SplitMix {
 public:
  explicit constexpr SplitMix(std::uint64_t seed) : state_(seed) {}
  constexpr std::uint64_t operator()() {
    const std::uint64_t value = mixed(state_);
    state_ += 0x9E3779B97F4A7C15;
    return value;
  }

 private:
  std::uint64_t state_;
};

/// Unbiased integer in [0, bound), bound > 0, from raw 64-bit draws (the standard's distributions differ between
/// libraries).
template <class Generator>
[[nodiscard]] std::uint64_t draw_below(std::uint64_t bound, Generator& generator) {
  const std::uint64_t surplus = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t draw = generator();
    if (draw >= surplus) return draw % bound;
  }
}

}  // namespace lathe::compression
