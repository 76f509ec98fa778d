#include "int8/byte_grid.hpp"

#include <algorithm>
#include <cmath>

namespace lathe::compression {
namespace {

constexpr std::int64_t kLast = 255;
constexpr std::int64_t kReducedLast = 127;

/// The same range on other levels.
ByteGrid spread(const ByteGrid& grid, std::int64_t last) {
  const double ratio = static_cast<double>(last) / static_cast<double>(grid.last);
  return {grid.scale / ratio, std::llround(static_cast<double>(grid.zero_point) * ratio), last};
}

std::int64_t last_level(bool reduced) {
  return reduced ? kReducedLast : kLast;
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
  const ByteGrid as_it_is{static_cast<double>(grid.scale.front()), grid.zero_point.front() - grid.levels.min, span};
  if (span < kReducedLast) return as_it_is;
  const std::int64_t shift = grid.levels.min < 0 ? (kLast + 1) / 2 : 0;
  const bool is_half = span <= kReducedLast;
  const ByteGrid bytes{static_cast<double>(grid.scale.front()), grid.zero_point.front() + shift,
                       is_half ? kReducedLast : kLast};
  return is_half == reduced ? bytes : spread(bytes, last_level(reduced));
}

ByteGrid byte_grid(const ValueRange& range, bool reduced) {
  const QuantGrid grid = quant_grid({range}, {8, QuantDtype::Uint, QuantScheme::PerTensorAffine});
  const ByteGrid bytes{static_cast<double>(grid.scale.front()), grid.zero_point.front()};
  return reduced ? spread(bytes, kReducedLast) : bytes;
}

ByteGrid without_negatives(const ByteGrid& grid, std::optional<double> most) {
  const double top = most ? std::min(*most, grid.max()) : grid.max();
  return top > 0 ? ByteGrid{top / static_cast<double>(grid.last), 0, grid.last} : ByteGrid{grid.scale, 0, grid.last};
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
