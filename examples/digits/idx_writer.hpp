// Writes a drawn data set as a pair of IDX files, the format of MNIST.
#pragma once

#include <cstdint>
#include <filesystem>

namespace lathe::examples {

/// `count` digits, labels in turn 0 … 9. Through temporary files and renames.
/// Throws std::runtime_error naming the file that cannot be written.
void write_digits(const std::filesystem::path& images, const std::filesystem::path& labels, int count,
                  std::uint64_t seed);

}  // namespace lathe::examples
