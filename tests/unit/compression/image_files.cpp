#include "image_files.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <jpeglib.h>
#include <png.h>

namespace lathe::compression::test {

std::string png(std::uint32_t height, std::uint32_t width, const std::vector<std::uint8_t>& rgb) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.height = height;
  image.width = width;
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  if (png_image_write_to_memory(&image, nullptr, &size, 0, rgb.data(), 0, nullptr) == 0) {
    throw std::runtime_error("png size");
  }
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, rgb.data(), 0, nullptr) == 0) {
    throw std::runtime_error("png");
  }
  return bytes;
}

std::string jpeg(std::uint32_t height, std::uint32_t width, const std::vector<std::uint8_t>& rgb) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_height = height;
  info.image_width = width;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 95, TRUE);
  jpeg_start_compress(&info, TRUE);
  std::vector<std::uint8_t> pixels = rgb;
  while (info.next_scanline < height) {
    JSAMPROW row = pixels.data() + std::size_t{3} * info.next_scanline * width;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  const std::string bytes(reinterpret_cast<const char*>(memory), size);
  jpeg_destroy_compress(&info);
  std::free(memory);
  return bytes;
}

std::vector<std::uint8_t> filled(std::uint32_t height, std::uint32_t width, std::uint8_t red, std::uint8_t green,
                                 std::uint8_t blue) {
  std::vector<std::uint8_t> rgb;
  for (std::uint32_t i = 0; i < height * width; ++i) rgb.insert(rgb.end(), {red, green, blue});
  return rgb;
}

std::vector<std::uint8_t> gradient(std::uint32_t height, std::uint32_t width) {
  std::vector<std::uint8_t> rgb;
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      rgb.insert(rgb.end(), {static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(y), 7});
    }
  }
  return rgb;
}

}  // namespace lathe::compression::test
