// JPEG and PNG images in memory, decoded to 8-bit RGB.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// Pixels row by row, `channels` bytes each.
struct Image {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 3;
  std::vector<std::uint8_t> pixels;
};

/// Told by the first bytes, not by a name. Errors (without a file's name): neither JPEG nor PNG, damaged, cut short,
/// too many pixels; a header alone costs no memory.
[[nodiscard]] Result<Image> decode_image(std::span<const std::uint8_t> bytes);

/// From the header alone.
[[nodiscard]] Result<ImageSize> image_size(std::span<const std::uint8_t> bytes);

// One format each; used by the two above.
[[nodiscard]] Result<Image> decode_jpeg(std::span<const std::uint8_t> bytes);
[[nodiscard]] Result<ImageSize> jpeg_size(std::span<const std::uint8_t> bytes);
[[nodiscard]] Result<Image> decode_png(std::span<const std::uint8_t> bytes);
[[nodiscard]] Result<ImageSize> png_size(std::span<const std::uint8_t> bytes);

/// Refuses what is above kMostPixels.
[[nodiscard]] Result<ImageSize> checked_size(std::uint64_t height, std::uint64_t width);

/// One channel, by ITU-R 601-2 luma in fixed point as Pillow computes it.
[[nodiscard]] Image to_grey(const Image& image);

}  // namespace lathe::compression
