#include "output/text.hpp"

#include <gtest/gtest.h>

namespace lathe::cli {
namespace {

TEST(Escape, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(escape("conv1.sparsity=0.4 größer 模型 🙂"), "conv1.sparsity=0.4 größer 模型 🙂");
}

TEST(Escape, ShowsWhatWouldActOnATerminal) {
  EXPECT_EQ(escape("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m");
  EXPECT_EQ(escape("a\r\n\tb\x07"), "a\\r\\n\\tb\\x07");
  EXPECT_EQ(escape(std::string_view("\0x", 2)), "\\x00x");
  EXPECT_EQ(escape("\xc2\x9b"
                   "31m"),
            "\\u009b31m");  // the one-character form of ESC [
  EXPECT_EQ(escape("a\xe2\x80\xae"
                   "b"),
            "a\\u202eb");  // right-to-left override
}

TEST(Escape, KeepsLinesOfLogs) {
  EXPECT_EQ(escape("a\n\tb\r\x1b", Keep::LinesAndTabs), "a\n\tb\\r\\x1b");
}

TEST(Escape, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(escape("a\xff\xfe"), "a\\xff\\xfe");
  EXPECT_EQ(escape("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(escape("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(escape("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(escape("\xe6\xa8"), "\\xe6\\xa8");  // cut off
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("größe"), 5u);
  EXPECT_EQ(display_width("模型"), 4u);
  EXPECT_EQ(display_width("e\xcc\x81"), 1u);  // e and a combining acute accent
  EXPECT_EQ(display_width("🙂"), 2u);
}

TEST(Truncate, NeverExceedsTheWidth) {
  EXPECT_EQ(truncate("abcdef", 6), "abcdef");
  EXPECT_EQ(truncate("abcdef", 4), "abc…");
  EXPECT_EQ(truncate("模型模型", 8), "模型模型");
  EXPECT_EQ(truncate("模型模型", 6), "模型…");
  EXPECT_EQ(truncate("abc", 1), "…");
  EXPECT_EQ(truncate("abc", 0), "");
  for (std::size_t width = 0; width < 12; ++width) EXPECT_LE(display_width(truncate("a模b型c模d", width)), width);
}

TEST(StreamEscaper, WaitsForTheRestOfACharacter) {
  StreamEscaper escaper;
  const std::string text = "模\x1b型\n";
  std::string out;
  for (const char byte : text) out += escaper.feed(std::string(1, byte));
  EXPECT_EQ(out + escaper.finish(), "模\\x1b型\n");
}

TEST(StreamEscaper, ShowsWhatNeverBecameACharacter) {
  StreamEscaper escaper;
  EXPECT_EQ(escaper.feed("a\xe6"), "a");
  EXPECT_EQ(escaper.finish(), "\\xe6");
}

}  // namespace
}  // namespace lathe::cli
