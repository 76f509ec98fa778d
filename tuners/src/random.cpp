#include "random.hpp"

#include <bit>

#include "gaussian.hpp"

namespace lathe::tuners {
namespace {

constexpr double kTwoToMinus53 = 0x1.0p-53;

// Mixed one after the other, so that seed and stream cannot change places and neighbours share nothing.
RandomStream::State derive_state(std::uint64_t seed, std::uint64_t stream) {
  const std::uint64_t mixed_seed = SplitMix64(seed).next();
  SplitMix64 words(SplitMix64(mixed_seed + stream).next());
  return {words.next(), words.next(), words.next(), words.next()};
}

}  // namespace

std::uint64_t SplitMix64::next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

RandomStream::RandomStream(std::uint64_t seed, std::uint64_t stream) : state_(derive_state(seed, stream)) {}

std::uint64_t RandomStream::next() {
  const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t shifted = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double RandomStream::uniform() {
  return static_cast<double>(next() >> 11U) * kTwoToMinus53;
}

std::uint64_t RandomStream::below(std::uint64_t size) {
  // The lowest (2^64 mod size) words are refused; what is left is a whole number of rounds of `size`.
  const std::uint64_t refused = (0U - size) % size;
  std::uint64_t word = next();
  while (word < refused) word = next();
  return word % size;
}

double RandomStream::normal() {
  // Cell centres: never 0 or 1, where the quantile is infinite.
  return normal_quantile((static_cast<double>(next() >> 11U) + 0.5) * kTwoToMinus53);
}

}  // namespace lathe::tuners
