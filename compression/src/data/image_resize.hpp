// Resizing of 8-bit images.
#pragma once

#include <lathe/compression/image_folder.hpp>

#include "data/image_decoder.hpp"

namespace lathe::compression {

/// The size that an image of `size` gets.
[[nodiscard]] ImageSize resized_size(const ImageSize& size, const ImageResize& resize);

/// Bilinear: a triangle filter as wide as one pixel of the smaller of the two images, first along rows, then along
/// columns, in Pillow's fixed-point arithmetic.
[[nodiscard]] Image resized(const Image& image, const ImageSize& size);

}  // namespace lathe::compression
