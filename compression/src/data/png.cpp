// PNG by libpng's simplified interface, which brings every kind of PNG image to 8 bits per channel.
#include <fmt/format.h>
#include <png.h>

#include "data/image_decoder.hpp"

namespace lathe::compression {
namespace {

class Session {
 public:
  explicit Session(std::span<const std::uint8_t> bytes) {
    image_.version = PNG_IMAGE_VERSION;
    is_open_ = png_image_begin_read_from_memory(&image_, bytes.data(), bytes.size()) != 0;
  }
  ~Session() { png_image_free(&image_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] Result<ImageSize> size() const {
    if (!is_open_) return damaged();
    return checked_size(image_.height, image_.width);
  }

  /// With alpha, so that it can be dropped; asked for RGB, libpng would blend with a background.
  [[nodiscard]] Result<void> read(std::uint8_t* rgba) {
    image_.format = PNG_FORMAT_RGBA;
    if (png_image_finish_read(&image_, nullptr, rgba, 0, nullptr) == 0) return damaged();
    return {};
  }

 private:
  [[nodiscard]] tl::unexpected<Error> damaged() const {
    return fail(fmt::format("a damaged PNG image: {}", image_.message));
  }

  png_image image_{};
  bool is_open_ = false;
};

}  // namespace

Result<ImageSize> png_size(std::span<const std::uint8_t> bytes) {
  return Session(bytes).size();
}

Result<Image> decode_png(std::span<const std::uint8_t> bytes) {
  Session session(bytes);
  const auto size = session.size();
  if (!size) return tl::unexpected(size.error());
  const auto pixels = static_cast<std::size_t>(size->height * size->width);
  std::vector<std::uint8_t> rgba(4 * pixels);
  if (auto read = session.read(rgba.data()); !read) return tl::unexpected(read.error());
  for (std::size_t i = 1; i < pixels; ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) rgba[3 * i + channel] = rgba[4 * i + channel];
  }
  rgba.resize(3 * pixels);
  return Image{size->height, size->width, 3, std::move(rgba)};
}

}  // namespace lathe::compression
