#include "data/image_resize.hpp"

#include <algorithm>
#include <cmath>

namespace lathe::compression {
namespace {

/// Bits behind the point: products with 8-bit pixels and their sums fit into 32 bits.
constexpr int kPrecision = 32 - 8 - 2;

/// The pixels that one new pixel is made of, and their weights.
struct Tap {
  std::int64_t first = 0;
  std::vector<std::int32_t> weights;
};

Tap tap_of(std::int64_t position, std::int64_t from, double scale) {
  const double filter_scale = std::max(scale, 1.0);
  const double centre = (static_cast<double>(position) + 0.5) * scale;
  const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(centre - filter_scale + 0.5), 0);
  const auto end = std::min<std::int64_t>(static_cast<std::int64_t>(centre + filter_scale + 0.5), from);
  std::vector<double> weights;
  double sum = 0;
  for (std::int64_t x = first; x < end; ++x) {
    const double distance = std::abs((static_cast<double>(x) - centre + 0.5) / filter_scale);
    weights.push_back(std::max(1.0 - distance, 0.0));
    sum += weights.back();
  }
  Tap tap{first, {}};
  for (const double weight : weights) {
    const double fixed = (sum == 0 ? weight : weight / sum) * (1 << kPrecision);
    tap.weights.push_back(static_cast<std::int32_t>(0.5 + fixed));
  }
  return tap;
}

std::vector<Tap> taps_of(std::int64_t from, std::int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  std::vector<Tap> taps;
  taps.reserve(static_cast<std::size_t>(to));
  for (std::int64_t i = 0; i < to; ++i) taps.push_back(tap_of(i, from, scale));
  return taps;
}

std::uint8_t to_byte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kPrecision, 0, 255));
}

constexpr std::int32_t kHalf = 1 << (kPrecision - 1);

Image resized_rows(const Image& image, std::int64_t width) {
  const std::vector<Tap> taps = taps_of(image.width, width);
  Image result{image.height, width, image.channels, {}};
  result.pixels.resize(static_cast<std::size_t>(image.height * width * image.channels));
  std::uint8_t* out = result.pixels.data();
  for (std::int64_t y = 0; y < image.height; ++y) {
    const std::uint8_t* row = image.pixels.data() + y * image.width * image.channels;
    for (const Tap& tap : taps) {
      for (std::int64_t channel = 0; channel < image.channels; ++channel) {
        std::int32_t sum = kHalf;
        const std::uint8_t* pixel = row + tap.first * image.channels + channel;
        for (const std::int32_t weight : tap.weights) {
          sum += *pixel * weight;
          pixel += image.channels;
        }
        *out++ = to_byte(sum);
      }
    }
  }
  return result;
}

Image resized_columns(const Image& image, std::int64_t height) {
  const std::vector<Tap> taps = taps_of(image.height, height);
  const auto row_bytes = static_cast<std::size_t>(image.width * image.channels);
  Image result{height, image.width, image.channels, {}};
  result.pixels.resize(static_cast<std::size_t>(height) * row_bytes);
  std::vector<std::int32_t> sums(row_bytes);
  std::uint8_t* out = result.pixels.data();
  for (const Tap& tap : taps) {
    std::fill(sums.begin(), sums.end(), kHalf);
    const std::uint8_t* row = image.pixels.data() + static_cast<std::size_t>(tap.first) * row_bytes;
    for (const std::int32_t weight : tap.weights) {
      for (std::size_t i = 0; i < row_bytes; ++i) sums[i] += row[i] * weight;
      row += row_bytes;
    }
    for (const std::int32_t sum : sums) *out++ = to_byte(sum);
  }
  return result;
}

}  // namespace

ImageSize resized_size(const ImageSize& size, const ImageResize& resize) {
  if (resize.width) return {resize.height, *resize.width};
  const std::int64_t shorter = std::min(size.height, size.width);
  // The longer side is cut off, not rounded, as by torchvision.
  return {resize.height * size.height / shorter, resize.height * size.width / shorter};
}

Image resized(const Image& image, const ImageSize& size) {
  Image result = image;
  if (size.width != image.width) result = resized_rows(result, size.width);
  if (size.height != image.height) result = resized_columns(result, size.height);
  return result;
}

}  // namespace lathe::compression
