#include <lathe/proto/file_stream.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace lathe::proto {
namespace {

/// The examples of FIPS 180-4 and of its test vectors.
TEST(FileStream, HashesAreThoseOfSha256) {
  EXPECT_EQ(hash_of_text(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash_of_text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_of_text(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(FileStream, KnowsHashesAndPathsThatStayBelow) {
  EXPECT_TRUE(is_hash(hash_of_text("x")));
  for (const std::string& text : std::vector<std::string>{"", "abc", std::string(64, 'G'), std::string(64, 'A')})
    EXPECT_FALSE(is_hash(text)) << text;
  for (const char* path : {"a", "a/b.txt", ".hidden", "..a"}) EXPECT_TRUE(stays_below(path)) << path;
  for (const char* path : {"", "/a", "..", "a/../b", "a//b", "./a", "a/"}) EXPECT_FALSE(stays_below(path)) << path;
}

}  // namespace
}  // namespace lathe::proto
