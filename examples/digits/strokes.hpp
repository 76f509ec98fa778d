// The shapes of the ten digits, as the pen goes.
#pragma once

#include <vector>

namespace lathe::examples {

/// In a box from -1 to 1, y downwards.
struct Point {
  double x = 0;
  double y = 0;
};

using Stroke = std::vector<Point>;  ///< a polyline, drawn without lifting the pen

/// Ways to write a digit 0 … 9 (at least one), each a list of strokes.
[[nodiscard]] const std::vector<std::vector<Stroke>>& ways_to_write(int digit);

}  // namespace lathe::examples
