#include "digits/digits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "digits/strokes.hpp"

namespace lathe::examples {
namespace {

constexpr double kCentre = (kDigitSize - 1) / 2.0;

/// How one digit is bent: an affine map to pixels, and a slow wave on top of it.
struct Warp {
  double xx, xy, yx, yy;    ///< rotation, size and slant, in pixels
  double shift_x, shift_y;  ///< in pixels
  double wave_x, wave_y;    ///< amplitude in pixels
  double phase_x, phase_y;
  double frequency;  ///< radians a unit

  [[nodiscard]] Point operator()(Point p) const {
    return {kCentre + shift_x + xx * p.x + xy * p.y + wave_x * std::sin(frequency * p.y + phase_x),
            kCentre + shift_y + yx * p.x + yy * p.y + wave_y * std::sin(frequency * p.x + phase_y)};
  }
};

struct Segment {
  Point from;
  Point to;
};

double squared_distance(Point p, const Segment& segment) {
  const double dx = segment.to.x - segment.from.x;
  const double dy = segment.to.y - segment.from.y;
  const double length = dx * dx + dy * dy;
  const double along = length > 0 ? ((p.x - segment.from.x) * dx + (p.y - segment.from.y) * dy) / length : 0;
  const double nearest = std::clamp(along, 0.0, 1.0);
  const double off_x = p.x - segment.from.x - nearest * dx;
  const double off_y = p.y - segment.from.y - nearest * dy;
  return off_x * off_x + off_y * off_y;
}

/// Ink falls off over `softness` pixels around the edge of a pen of `radius` pixels.
double ink_at(Point pixel, const std::vector<Segment>& segments, double radius, double softness) {
  double nearest = std::numeric_limits<double>::max();
  for (const Segment& segment : segments) nearest = std::min(nearest, squared_distance(pixel, segment));
  return std::clamp(0.5 + (radius - std::sqrt(nearest)) / softness, 0.0, 1.0);
}

}  // namespace

double DigitPainter::uniform(double low, double high) {
  constexpr double unit = 1.0 / 9007199254740992.0;  // 2^-53
  return low + (high - low) * static_cast<double>(engine_() >> 11) * unit;
}

DigitImage DigitPainter::paint(int digit) {
  const auto& ways = ways_to_write(digit);
  const auto& strokes = ways[static_cast<std::size_t>(uniform(0, static_cast<double>(ways.size())))];
  const double angle = uniform(-0.3, 0.3);
  const double width = uniform(6.5, 9.5);
  const double height = uniform(8.0, 10.5);
  const double slant = uniform(-0.3, 0.3);
  const Warp warp{width * std::cos(angle), height * (slant - std::sin(angle)),
                  width * std::sin(angle), height * std::cos(angle),
                  uniform(-1.8, 1.8),      uniform(-1.8, 1.8),
                  uniform(-1.3, 1.3),      uniform(-1.3, 1.3),
                  uniform(0, 6.3),         uniform(0, 6.3),
                  uniform(1.5, 3.5)};
  std::vector<Segment> segments;
  for (const Stroke& stroke : strokes) {
    Point last{};
    for (std::size_t i = 0; i < stroke.size(); ++i) {
      Point point = warp(stroke[i]);
      point.x += uniform(-0.35, 0.35);
      point.y += uniform(-0.35, 0.35);
      if (i > 0) segments.push_back({last, point});
      last = point;
    }
  }
  const double radius = uniform(0.7, 1.7);
  const double softness = uniform(0.8, 1.6);
  const double noise = uniform(0, 0.12);
  DigitImage image{};
  for (std::size_t i = 0; i < image.size(); ++i) {
    const Point pixel{static_cast<double>(i % kDigitSize), static_cast<double>(i / kDigitSize)};
    const double ink = ink_at(pixel, segments, radius, softness) + uniform(-noise, noise);
    image[i] = static_cast<std::uint8_t>(std::lround(255 * std::clamp(ink, 0.0, 1.0)));
  }
  return image;
}

}  // namespace lathe::examples
