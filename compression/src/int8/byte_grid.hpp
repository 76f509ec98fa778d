// The grids that quantized kernels take: levels 0 … 255 of an activation, with one scale and one zero point.
// A range may be meant to use the first 128 of them only; what lies beyond it then still has a level.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <lathe/compression/quant_grid.hpp>

namespace lathe::compression {

/// value = (level - zero_point) * scale
struct ByteGrid {
  double scale = 1;             ///< > 0
  std::int64_t zero_point = 0;  ///< 0 … last
  std::int64_t last = 255;      ///< the level of the range's upper end: 127, 255, or of a small grid its own

  [[nodiscard]] double min() const;
  [[nodiscard]] double max() const;
};

/// The same range, with levels shifted to begin at 0 or above: on 256 levels, or `reduced` on 128. Where that is as
/// many as the grid has (or one more), or where the grid has fewer, they are the same levels. None: a scale for each
/// channel, or more than 256 levels.
[[nodiscard]] std::optional<ByteGrid> byte_grid(const QuantGrid& grid, bool reduced);

/// For values of this range, widened to hold 0.
[[nodiscard]] ByteGrid byte_grid(const ValueRange& range, bool reduced);

/// The part of the range from 0 on, for values of which none is negative: kernels that end in a ReLU need zero_point 0
/// (oneDNN's cut at level 0 whatever the zero point). `most`: nor is any greater.
[[nodiscard]] ByteGrid without_negatives(const ByteGrid& grid, std::optional<double> most);

/// One that holds the values of all; `grids` is not empty.
[[nodiscard]] ByteGrid union_of(const std::vector<ByteGrid>& grids, bool reduced);

}  // namespace lathe::compression
