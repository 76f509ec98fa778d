// Random numbers of our own, because the distributions of <random> differ between standard libraries: integers,
// uniforms and picks here are the same bits on every platform. normal() goes through std::log and std::sqrt, so another
// libm may change its last bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lathe::tuners {

/// SplitMix64 (Steele, Lea and Flood 2014): turns any 64-bit seed into well mixed words.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();

 private:
  std::uint64_t state_;
};

/// xoshiro256++ (Blackman and Vigna 2019) with the draws the tuners need.
class RandomStream {
 public:
  using State = std::array<std::uint64_t, 4>;

  /// Stream number `stream` of `seed`; different pairs give independent streams.
  RandomStream(std::uint64_t seed, std::uint64_t stream);
  /// For tests against published sequences; not all words may be 0.
  explicit RandomStream(const State& state) : state_(state) {}

  /// 64 random bits.
  std::uint64_t next();
  /// Uniform on [0, 1), a multiple of 2^-53.
  double uniform();
  /// Uniform on {0, …, size - 1} without bias; size > 0.
  std::uint64_t below(std::uint64_t size);
  /// Standard normal, by inverse cdf: exactly one word is consumed.
  double normal();

 private:
  State state_;
};

}  // namespace lathe::tuners
