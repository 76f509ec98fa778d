// Data sets of JPEG and PNG images, one folder per class, as torchvision's ImageFolder has them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include <lathe/compression/dataset.hpp>

namespace lathe::compression {

/// Bilinear with antialiasing, to the bit what Pillow's (and so torchvision's) resize of images makes.
struct ImageResize {
  std::int64_t height = 0;  ///< or, without a width, of the shorter side; the aspect ratio is kept then
  std::optional<std::int64_t> width;
};

struct ImageFolderOptions {
  std::int64_t channels = 3;  ///< 3: RGB, 1: grey (ITU-R 601 luma); transparency is dropped
  std::optional<ImageResize> resize;
  std::optional<ImageSize> crop;  ///< as by Dataset::cropped, but images may have different sizes
};

/// Images are refused above this many pixels, before memory is taken for them.
inline constexpr std::int64_t kMostPixels = std::int64_t{64} << 20;

/// The images `folder/CLASS/*.{jpg,jpeg,png}` (in any case). Classes are numbered in the bytewise order of their names,
/// and so are the images of a class; `records` counts through all of them. Images are decoded when they are read, and
/// decoded ones kept in memory as long as 256 MiB allow. What is no image of these types and what starts with a dot is
/// passed over. Unless `crop` or the resize make sizes equal, the headers of all images are read for their sizes.
/// Errors: no class, a class without images, sizes that differ (with both images named), what is wrong with a file.
[[nodiscard]] Result<Dataset> load_images(const std::filesystem::path& folder, const ImageFolderOptions& options,
                                          const Records& records, const Normalization& normalization);

}  // namespace lathe::compression
