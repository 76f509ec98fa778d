#include "output/format.hpp"

#include <cmath>
#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

namespace lathe::cli {
namespace {

TEST(Format, Durations) {
  EXPECT_EQ(format_duration(-3), "0s");
  EXPECT_EQ(format_duration(std::nan("")), "0s");
  EXPECT_EQ(format_duration(0.42), "0.42s");
  EXPECT_EQ(format_duration(1.44), "1.4s");
  EXPECT_EQ(format_duration(12.4), "12s");
  EXPECT_EQ(format_duration(59.7), "1m 00s");
  EXPECT_EQ(format_duration(64), "1m 04s");
  EXPECT_EQ(format_duration(2 * 3600 + 3 * 60 + 59), "2h 03m");
  EXPECT_EQ(format_duration(3 * 86400 + 4 * 3600), "3d 04h");
}

TEST(Format, Bytes) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.00 KiB");
  EXPECT_EQ(format_bytes(1.65 * 1024 * 1024), "1.65 MiB");
  EXPECT_EQ(format_bytes(431080 * 4), "1.64 MiB");
  EXPECT_EQ(format_bytes(1e30).substr(format_bytes(1e30).size() - 3), "PiB");
}

TEST(Format, Counts) {
  EXPECT_EQ(format_count(7), "7");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(431080), "431,080");
  EXPECT_EQ(format_count(-431080), "-431,080");
  EXPECT_EQ(format_count(12.34e6), "12.3M");
  EXPECT_EQ(format_count(4.587e9), "4.59G");
  EXPECT_EQ(format_count(999.9e6), "1.00G");
}

TEST(Format, NumbersKeepSixDigits) {
  EXPECT_EQ(format_number(0.9714), "0.9714");
  EXPECT_EQ(format_number(1e-7), "1e-07");
  EXPECT_EQ(format_number(1.0 / 3), "0.333333");
}

TEST(Format, Measures) {
  EXPECT_EQ(format_percent(0.97143), "97.14%");
  EXPECT_EQ(format_percent(-0.001), "-0.10%");
  EXPECT_EQ(format_milliseconds(0.4123), "0.412 ms");
  EXPECT_EQ(format_milliseconds(12.34), "12.3 ms");
  EXPECT_EQ(format_factor(1.836), "1.84x");
}

TEST(Format, TimesAreLocal) {
  const std::string text = format_time(1'700'000'000'999);
  std::tm parsed{};
  ASSERT_NE(::strptime(text.c_str(), "%Y-%m-%d %H:%M:%S", &parsed), nullptr) << text;
  parsed.tm_isdst = -1;
  EXPECT_EQ(std::mktime(&parsed), 1'700'000'000);
}

}  // namespace
}  // namespace lathe::cli
