#include "data/image_decoder.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <lathe/compression/image_folder.hpp>

namespace lathe::compression {
namespace {

constexpr std::array<std::uint8_t, 3> kJpeg{0xFF, 0xD8, 0xFF};
constexpr std::array<std::uint8_t, 8> kPng{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

template <std::size_t N>
bool starts_with(std::span<const std::uint8_t> bytes, const std::array<std::uint8_t, N>& head) {
  return bytes.size() >= N && std::equal(head.begin(), head.end(), bytes.begin());
}

tl::unexpected<Error> neither(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 2) return fail(fmt::format("{} bytes are no image", bytes.size()));
  return fail(fmt::format("neither JPEG nor PNG: it starts with {:02x} {:02x}", bytes[0], bytes[1]));
}

}  // namespace

Result<Image> decode_image(std::span<const std::uint8_t> bytes) {
  if (starts_with(bytes, kJpeg)) return decode_jpeg(bytes);
  if (starts_with(bytes, kPng)) return decode_png(bytes);
  return neither(bytes);
}

Result<ImageSize> image_size(std::span<const std::uint8_t> bytes) {
  if (starts_with(bytes, kJpeg)) return jpeg_size(bytes);
  if (starts_with(bytes, kPng)) return png_size(bytes);
  return neither(bytes);
}

Result<ImageSize> checked_size(std::uint64_t height, std::uint64_t width) {
  constexpr std::uint64_t longest = std::uint64_t{1} << 31;
  const bool is_sane = height > 0 && width > 0 && height < longest && width < longest;
  if (!is_sane || height * width > static_cast<std::uint64_t>(kMostPixels)) {
    return fail(fmt::format("an image of {} x {} pixels; expected at least one and at most {} in all", height, width,
                            kMostPixels));
  }
  return ImageSize{static_cast<std::int64_t>(height), static_cast<std::int64_t>(width)};
}

Image to_grey(const Image& image) {
  Image grey{image.height, image.width, 1, {}};
  grey.pixels.resize(static_cast<std::size_t>(image.height * image.width));
  for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
    const std::uint8_t* rgb = image.pixels.data() + 3 * i;
    grey.pixels[i] = static_cast<std::uint8_t>((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 0x8000U) >> 16);
  }
  return grey;
}

}  // namespace lathe::compression
