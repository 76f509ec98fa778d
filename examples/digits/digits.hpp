// Drawn digits: strokes warped at random and rendered to 28 x 28 grey pixels. A data set that needs no download.
#pragma once

#include <array>
#include <cstdint>
#include <random>

namespace lathe::examples {

constexpr int kDigitSize = 28;
using DigitImage = std::array<std::uint8_t, kDigitSize * kDigitSize>;  ///< rows from the top, 0 background, 255 ink

/// Draws digits in one hand after another: each has its own rotation, size, slant, jitter, pen and noise.
class DigitPainter {
 public:
  explicit DigitPainter(std::uint64_t seed) : engine_(seed) {}

  /// `digit` is 0 … 9. The next image depends on the seed and on all that were drawn before.
  [[nodiscard]] DigitImage paint(int digit);

 private:
  [[nodiscard]] double uniform(double low, double high);

  std::mt19937_64 engine_;
};

}  // namespace lathe::examples
