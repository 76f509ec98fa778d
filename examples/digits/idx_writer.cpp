#include "digits/idx_writer.hpp"

#include <fstream>
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "digits/digits.hpp"

namespace lathe::examples {
namespace {

/// Zeros, unsigned bytes, the dimensions in big endian.
std::string header(std::initializer_list<int> shape) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (const int size : shape) {
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes += static_cast<char>(static_cast<unsigned>(size) >> shift & 0xFFU);
  }
  return bytes;
}

void write_file(const std::filesystem::path& file, const std::string& bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::filesystem::path temporary = file;
  temporary += ".tmp";
  std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
  stream << bytes;
  stream.close();
  if (!stream) throw std::runtime_error(temporary.string() + ": cannot be written");
  std::filesystem::rename(temporary, file);
}

}  // namespace

void write_digits(const std::filesystem::path& images, const std::filesystem::path& labels, int count,
                  std::uint64_t seed) {
  DigitPainter painter(seed);
  std::string pixels = header({count, kDigitSize, kDigitSize});
  std::string classes = header({count});
  for (int i = 0; i < count; ++i) {
    const DigitImage image = painter.paint(i % 10);
    pixels.append(image.begin(), image.end());
    classes += static_cast<char>(i % 10);
  }
  write_file(images, pixels);
  write_file(labels, classes);
}

}  // namespace lathe::examples
