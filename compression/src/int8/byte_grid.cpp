#include "int8/byte_grid.hpp"

#include <algorithm>
#include <cmath>

namespace lathe::compression {
namespace {

constexpr std::int64_t kLast = 255;
constexpr std::int64_t kReducedLast = 127;

/// From all levels to half of them.
ByteGrid halved(const ByteGrid& grid) {
  constexpr double ratio = static_cast<double>(kReducedLast) / static_cast<double>(kLast);
  return {grid.scale / ratio, std::llround(static_cast<double>(grid.zero_point) * ratio), kReducedLast};
}

}  // namespace

double ByteGrid::min() const {
  return -static_cast<double>(zero_point) * scale;
}

double ByteGrid::max() const {
  return static_cast<double>(last - zero_point) * scale;
}

std::optional<ByteGrid> byte_grid(const QuantGrid& grid, bool reduced) {
  const std::int64_t span = grid.levels.max - grid.levels.min;
  if (grid.scale.size() != 1 || span > kLast) return std::nullopt;
  const std::int64_t shift = grid.levels.min < 0 ? (kLast + 1) / 2 : 0;
  ByteGrid bytes{static_cast<double>(grid.scale.front()), grid.zero_point.front() + shift};
  if (span > kReducedLast) return reduced ? halved(bytes) : bytes;
  bytes.last = kReducedLast;
  return bytes;
}

ByteGrid byte_grid(const ValueRange& range, bool reduced) {
  const QuantGrid grid = quant_grid({range}, {8, QuantDtype::Uint, QuantScheme::PerTensorAffine});
  const ByteGrid bytes{static_cast<double>(grid.scale.front()), grid.zero_point.front()};
  return reduced ? halved(bytes) : bytes;
}

ByteGrid without_negatives(const ByteGrid& grid, std::optional<double> most) {
  ByteGrid above{grid.scale, 0, grid.last};
  // Nothing else cuts at `most` but the last level there is.
  if (most && static_cast<double>(kLast) * grid.scale > *most + grid.scale / 2) {
    above = {*most / static_cast<double>(kLast), 0, kLast};
  }
  return above;
}

ByteGrid union_of(const std::vector<ByteGrid>& grids, bool reduced) {
  double min = 0;
  double max = 0;
  for (const ByteGrid& grid : grids) {
    min = std::min(min, grid.min());
    max = std::max(max, grid.max());
  }
  return byte_grid(ValueRange{static_cast<float>(min), static_cast<float>(max)}, reduced);
}

}  // namespace lathe::compression
