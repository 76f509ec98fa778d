// |x| as an integer: the bits of floating-point numbers without their sign order them by magnitude.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

namespace lathe::compression {

template <class T>
using MagnitudeKey = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

template <class T>
constexpr MagnitudeKey<T> kMagnitudeBits = std::numeric_limits<MagnitudeKey<T>>::max();

}  // namespace lathe::compression
