// The header of a NumPy file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

#include <lathe/compression/model.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

struct NpyHeader {
  at::ScalarType type = at::kByte;
  Shape shape;
  std::size_t bytes = 0;  ///< length of the header; the values follow
};

/// Reads the header of a file with these bytes, strictly: versions 1.0, 2.0 and 3.0; the keys descr, fortran_order and
/// shape, each once and no other; little endian, C order; as many bytes of values as the shape announces, no more and
/// no fewer. Errors say what was expected and found, but not in which file.
[[nodiscard]] Result<NpyHeader> read_npy_header(std::span<const std::uint8_t> file);

}  // namespace lathe::compression
