#include "stderr_tail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {
namespace {

class StderrTail : public testing::Test {
 protected:
  std::string tail_of(std::string_view text, std::size_t limit = max_tail_bytes) {
    std::filesystem::remove(file_);
    append_to(file_, text);
    return read_tail(file_, limit);
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "stderr";
};

TEST_F(StderrTail, ShortFilesComeWhole) {
  EXPECT_EQ(tail_of(""), "");
  EXPECT_EQ(tail_of("one\ntwo"), "one\ntwo");
  EXPECT_EQ(read_tail(folder_.path() / "missing"), "");
  EXPECT_EQ(read_tail(folder_.path()), "");
}

TEST_F(StderrTail, LongFilesBeginWithAWholeLine) {
  EXPECT_EQ(tail_of("first\nsecond\nthird\n", 14), "second\nthird\n");
  EXPECT_EQ(tail_of("first\nsecond\nthird\n", 13), "second\nthird\n");
  EXPECT_EQ(tail_of("first\nsecond\nthird\n", 12), "third\n");
  EXPECT_EQ(tail_of("no line in sight", 5), "sight");
}

TEST_F(StderrTail, NeverExceedsItsLimit) {
  EXPECT_LE(tail_of(std::string(100'000, '\xff')).size(), max_tail_bytes);
  EXPECT_EQ(tail_of(std::string(100'000, 'x')).size(), max_tail_bytes);
}

TEST_F(StderrTail, NeverCutsACharacter) {
  EXPECT_EQ(tail_of("\u00fc\u00fc\u00fc", 3), "\u00fc");
}

TEST(Utf8, ReplacesWhatIsNotValid) {
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(to_valid_utf8("gr\u00fc\u00df \u20ac \U0001F600"), "gr\u00fc\u00df \u20ac \U0001F600");
  EXPECT_EQ(to_valid_utf8("a\x80z"), "a" + mark + "z");
  EXPECT_EQ(to_valid_utf8("\xc3"), mark);
  EXPECT_EQ(to_valid_utf8("\xc0\xaf"), mark + mark);
  EXPECT_EQ(to_valid_utf8("\xed\xa0\x80"), mark + mark + mark);
  EXPECT_EQ(to_valid_utf8("\xf4\x90\x80\x80"), mark + mark + mark + mark);
}

}  // namespace
}  // namespace lathe::agent
