// Quantities as people read them. Every function is pure and ASCII.
#pragma once

#include <cstdint>
#include <string>

namespace lathe::cli {

/// `0.42s`, `12s`, `1m 04s`, `2h 03m`, `3d 04h`; a negative span reads as `0s`.
[[nodiscard]] std::string format_duration(double seconds);

/// `512 B`, `1.65 MiB`: powers of 1024, three significant digits.
[[nodiscard]] std::string format_bytes(double bytes);

/// `431,080`; from ten million on `12.3M`, `4.59G`.
[[nodiscard]] std::string format_count(double count);

/// Up to six significant digits, no trailing zeros: `0.9714`, `1e-07`.
[[nodiscard]] std::string format_number(double value);

/// A fraction as percent: 0.97143 → `97.14%`.
[[nodiscard]] std::string format_percent(double fraction);

/// Milliseconds with three significant digits: `0.412 ms`.
[[nodiscard]] std::string format_milliseconds(double milliseconds);

/// `1.84x`.
[[nodiscard]] std::string format_factor(double factor);

/// Unix milliseconds as local time, `2026-11-21 14:05:09`.
[[nodiscard]] std::string format_time(std::int64_t unix_ms);

}  // namespace lathe::cli
