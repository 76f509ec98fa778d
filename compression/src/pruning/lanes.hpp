// Numbers side by side in one register of 16 bytes, which every machine that LibTorch runs on has.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace lathe::compression {

template <class T>
struct LanesOf {
  using Type [[gnu::vector_size(16)]] = T;
};

template <class T>
using Lanes = typename LanesOf<T>::Type;

template <class T>
constexpr std::int64_t kLanes = 16 / sizeof(T);

/// From memory of any alignment.
template <class T>
[[nodiscard]] inline Lanes<T> load_lanes(const T* from) {
  Lanes<T> lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

template <class T>
inline void store_lanes(const Lanes<T>& lanes, T* to) {
  std::memcpy(to, &lanes, sizeof(lanes));
}

/// Whether any bit of a comparison's result is set.
template <class L>
[[nodiscard]] inline bool any_bit(const L& lanes) {
  const auto halves = std::bit_cast<std::array<std::int64_t, 2>>(lanes);
  return (halves[0] | halves[1]) != 0;
}

/// |x| as an integer: the bits of floating-point numbers without their sign order them by magnitude.
template <class T>
using MagnitudeKey = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

template <class T>
constexpr MagnitudeKey<T> kMagnitudeBits = std::numeric_limits<MagnitudeKey<T>>::max();

}  // namespace lathe::compression
