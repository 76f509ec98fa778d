#include "data/image_source.hpp"

#include <utility>

#include <fmt/format.h>

#include "data/byte_file.hpp"
#include "data/image_resize.hpp"

namespace lathe::compression {
namespace {

/// Decoded images are held up to this, so that small data sets are decoded once.
constexpr std::size_t kMostHeld = std::size_t{256} << 20;

/// Of a file: an honest one of kMostPixels is smaller even without compression.
constexpr std::size_t kLargestImageFile = std::size_t{512} << 20;

/// [H, W, C] to [C, H, W].
std::vector<std::uint8_t> planes_of(const Image& image) {
  if (image.channels == 1) return image.pixels;
  const auto count = static_cast<std::size_t>(image.height * image.width);
  const auto channels = static_cast<std::size_t>(image.channels);
  std::vector<std::uint8_t> planes(image.pixels.size());
  for (std::size_t channel = 0; channel < channels; ++channel) {
    std::uint8_t* plane = planes.data() + channel * count;
    for (std::size_t i = 0; i < count; ++i) plane[i] = image.pixels[i * channels + channel];
  }
  return planes;
}

tl::unexpected<Error> fail_in(const std::filesystem::path& file, const Error& error) {
  return fail(fmt::format("{}: {}", file.string(), error.message));
}

}  // namespace

ImageSource::ImageSource(std::vector<std::filesystem::path> files, const ImageFolderOptions& options,
                         std::optional<ImageSize> size)
    : files_(std::move(files)), options_(options), size_(size), held_(files_.size()) {}

Shape ImageSource::shape() const {
  return {options_.channels, size_ ? size_->height : 0, size_ ? size_->width : 0};
}

Result<RecordView> ImageSource::record(std::int64_t index, std::vector<std::uint8_t>& scratch) const {
  const auto at = static_cast<std::size_t>(index);
  {
    const std::lock_guard lock(mutex_);
    const Image& held = held_[at];
    if (!held.pixels.empty()) return RecordView{held.pixels.data(), held.height, held.width};
  }
  auto image = load(files_[at]);
  if (!image) return tl::unexpected(image.error());
  const RecordView view{nullptr, image->height, image->width};
  const std::lock_guard lock(mutex_);
  Image& place = held_[at];
  if (place.pixels.empty() && held_bytes_ + image->pixels.size() <= kMostHeld) {
    held_bytes_ += image->pixels.size();
    place = std::move(*image);
  }
  if (!place.pixels.empty()) return RecordView{place.pixels.data(), view.height, view.width};
  scratch = std::move(image->pixels);
  return RecordView{scratch.data(), view.height, view.width};
}

std::string ImageSource::name_of(std::int64_t index) const {
  return files_[static_cast<std::size_t>(index)].string();
}

Result<Image> ImageSource::load(const std::filesystem::path& file) const {
  const auto bytes = read_bytes(file, kLargestImageFile);
  if (!bytes) return tl::unexpected(bytes.error());
  auto image = decode_image(*bytes);
  if (!image) return fail_in(file, image.error());
  if (options_.channels == 1) *image = to_grey(*image);
  if (options_.resize) {
    const ImageSize size = resized_size({image->height, image->width}, *options_.resize);
    if (const auto sane = checked_size(static_cast<std::uint64_t>(size.height), static_cast<std::uint64_t>(size.width));
        !sane) {
      return fail_in(file, sane.error());
    }
    *image = resized(*image, size);
  }
  if (size_ && (image->height != size_->height || image->width != size_->width)) {
    return fail(fmt::format("{}: {} x {} pixels; expected {} x {}, as when the data was opened", file.string(),
                            image->height, image->width, size_->height, size_->width));
  }
  image->pixels = planes_of(*image);
  return image;
}

Result<ImageSize> read_image_size(const std::filesystem::path& file) {
  const auto bytes = read_bytes(file, kLargestImageFile);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto size = image_size(*bytes);
  if (!size) return fail_in(file, size.error());
  return size;
}

}  // namespace lathe::compression
