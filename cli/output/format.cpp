#include "output/format.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <string_view>

#include <fmt/format.h>

namespace lathe::cli {
namespace {

/// Three significant digits without an exponent, for 0 <= value.
std::string three_digits(double value) {
  if (value >= 99.95) return fmt::format("{:.0f}", value);
  if (value >= 9.995) return fmt::format("{:.1f}", value);
  if (value >= 0.9995 || value == 0) return fmt::format("{:.2f}", value);
  return fmt::format("{:.3f}", value);
}

std::string grouped(double whole) {
  std::string digits = fmt::format("{:.0f}", std::abs(whole));
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return whole < 0 ? "-" + digits : digits;
}

struct Pair {
  std::int64_t unit;  ///< seconds
  std::int64_t part;  ///< seconds of the smaller unit
  std::string_view names;
};

constexpr std::array pairs{Pair{86400, 3600, "dh"}, Pair{3600, 60, "hm"}, Pair{60, 1, "ms"}};

}  // namespace

std::string format_duration(double seconds) {
  if (!(seconds > 0)) return "0s";
  if (seconds < 9.95) return fmt::format("{:.{}f}s", seconds, seconds < 0.995 ? 2 : 1);
  const auto whole = static_cast<std::int64_t>(std::llround(std::min(seconds, 1e15)));
  for (const Pair& pair : pairs) {
    if (whole < pair.unit) continue;
    return fmt::format("{}{} {:02}{}", whole / pair.unit, pair.names[0], whole % pair.unit / pair.part, pair.names[1]);
  }
  return fmt::format("{}s", whole);
}

std::string format_bytes(double bytes) {
  constexpr std::array<std::string_view, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  if (!std::isfinite(bytes)) return format_number(bytes);
  std::size_t unit = 0;
  while (std::abs(bytes) >= 1023.5 && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", unit == 0 ? fmt::format("{:.0f}", bytes) : three_digits(bytes), units[unit]);
}

std::string format_count(double count) {
  if (!std::isfinite(count)) return format_number(count);
  if (std::abs(count) < 1e7) return grouped(count);
  constexpr std::array<std::string_view, 4> units{"M", "G", "T", "P"};
  double scaled = count / 1e6;
  std::size_t unit = 0;
  while (std::abs(scaled) >= 999.5 && unit + 1 < units.size()) {
    scaled /= 1000;
    ++unit;
  }
  return three_digits(scaled) + std::string(units[unit]);
}

std::string format_number(double value) {
  return fmt::format("{:.6g}", value);
}

std::string format_percent(double fraction) {
  return fmt::format("{:.2f}%", fraction * 100);
}

std::string format_milliseconds(double milliseconds) {
  return three_digits(milliseconds) + " ms";
}

std::string format_factor(double factor) {
  return fmt::format("{:.2f}x", factor);
}

std::string format_time(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return fmt::format("{} ms", unix_ms);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,
                     local.tm_hour, local.tm_min, local.tm_sec);
}

}  // namespace lathe::cli
