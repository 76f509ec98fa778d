// Data sets in two NumPy files (.npy, format versions 1 to 3).
#pragma once

#include <filesystem>

#include <lathe/compression/dataset.hpp>

namespace lathe::compression {

/// `inputs` [N, …] of type u1 (8-bit pixels, scaled to [0, 1]), i1, i2, i4, i8, f2, f4 or f8, and `targets` [N, …] of
/// integers (class indices) or floating-point numbers; little endian and in C order. Integer targets [N, 1] become [N].
/// Large files are mapped, not copied.
[[nodiscard]] Result<Dataset> load_npy(const std::filesystem::path& inputs, const std::filesystem::path& targets,
                                       const Records& records, const Normalization& normalization);

}  // namespace lathe::compression
