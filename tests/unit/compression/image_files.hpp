// JPEG and PNG files for tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lathe::compression::test {

/// The bytes of an 8-bit RGB image; `rgb` has height * width * 3 values.
[[nodiscard]] std::string png(std::uint32_t height, std::uint32_t width, const std::vector<std::uint8_t>& rgb);
[[nodiscard]] std::string jpeg(std::uint32_t height, std::uint32_t width, const std::vector<std::uint8_t>& rgb);

/// Of one colour.
[[nodiscard]] std::vector<std::uint8_t> filled(std::uint32_t height, std::uint32_t width, std::uint8_t red,
                                               std::uint8_t green, std::uint8_t blue);

/// Each pixel's red is its column, its green its row, its blue 7.
[[nodiscard]] std::vector<std::uint8_t> gradient(std::uint32_t height, std::uint32_t width);

}  // namespace lathe::compression::test
