#include "digits/strokes.hpp"

#include <array>
#include <cmath>

namespace lathe::examples {
namespace {

using Way = std::vector<Stroke>;

/// Part of an ellipse, angles in degrees, 0 to the right and 90 downwards.
Stroke arc(Point centre, double radius_x, double radius_y, double from, double to) {
  constexpr int steps = 14;
  constexpr double degree = 3.14159265358979323846 / 180;
  Stroke stroke;
  for (int i = 0; i <= steps; ++i) {
    const double angle = (from + (to - from) * i / steps) * degree;
    stroke.push_back({centre.x + radius_x * std::cos(angle), centre.y + radius_y * std::sin(angle)});
  }
  return stroke;
}

Stroke join(Stroke first, const Stroke& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

std::array<std::vector<Way>, 10> make_digits() {
  const Stroke two_top = arc({0, -0.45}, 0.55, 0.5, 190, 400);
  const Stroke six_loop = arc({0, 0.45}, 0.5, 0.5, 180, 540);
  const Stroke nine_loop = arc({0, -0.42}, 0.5, 0.5, 0, 360);
  return {{
      {{arc({0, 0}, 0.6, 0.95, -90, 270)}},
      {{{{0, -0.95}, {0, 0.95}}}, {{{-0.35, -0.6}, {0.05, -0.95}, {0.05, 0.95}}}},
      {{join(two_top, {{-0.6, 0.9}, {0.65, 0.9}})}},
      {{arc({0, -0.45}, 0.5, 0.48, 200, 450), arc({0, 0.45}, 0.58, 0.5, 270, 520)},
       {{{-0.5, -0.9}, {0.45, -0.9}, {-0.05, -0.15}}, arc({-0.05, 0.4}, 0.6, 0.55, 270, 510)}},
      {{{{0.25, 0.95}, {0.25, -0.95}, {-0.65, 0.35}, {0.7, 0.35}}},
       {{{-0.5, -0.9}, {-0.55, 0.05}, {0.6, 0.05}}, {{0.4, -0.85}, {0.35, 0.95}}}},
      {{{{0.55, -0.9}, {-0.4, -0.9}, {-0.45, -0.1}}, arc({-0.02, 0.35}, 0.58, 0.55, 225, 500)}},
      {{join({{0.4, -0.95}, {-0.1, -0.55}, {-0.42, 0.05}}, six_loop)}},
      {{{{-0.6, -0.85}, {0.6, -0.85}, {-0.1, 0.95}}},
       {{{-0.6, -0.85}, {0.6, -0.85}, {-0.1, 0.95}}, {{-0.3, 0.05}, {0.5, 0.05}}}},
      {{arc({0, -0.47}, 0.45, 0.45, 90, 450), arc({0, 0.45}, 0.55, 0.48, -90, 270)}},
      {{join(nine_loop, {{0.45, 0.2}, {0.3, 0.95}})}, {{join(nine_loop, arc({0, 0.3}, 0.5, 0.65, 0, 130))}}},
  }};
}

}  // namespace

const std::vector<std::vector<Stroke>>& ways_to_write(int digit) {
  static const std::array<std::vector<Way>, 10> digits = make_digits();
  return digits.at(static_cast<std::size_t>(digit));
}

}  // namespace lathe::examples
