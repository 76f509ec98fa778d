#include "access/token.hpp"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

TEST(Token, HasItsPrefixAndAllItsBits) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string token = make_token();
    EXPECT_EQ(token.size(), 6u + 43u);
    EXPECT_EQ(token.substr(0, 6), "lathe_");
    EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), token.npos);
    // 256 bits are 42 whole characters and 4 bits: the last two bits of the last one are zero.
    EXPECT_NE(std::string("AEIMQUYcgkosw048").find(token.back()), std::string::npos) << token;
    seen.insert(token);
  }
  EXPECT_EQ(seen.size(), 100u);
}

TEST(Token, HashIsSha256AsText) {
  // FIPS 180-2, appendix B.1.
  const std::string text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(to_text(hash_token("abc")), text);
  ASSERT_TRUE(parse_hash(text).has_value());
  EXPECT_TRUE(is_equal(*parse_hash(text), hash_token("abc")));
  EXPECT_FALSE(is_equal(*parse_hash(text), hash_token("abd")));
}

TEST(Token, NothingElseIsAHash) {
  const std::string digits = to_text(hash_token("abc")).substr(7);
  for (const std::string& text :
       std::vector<std::string>{"", digits, "sha256:", "sha256:" + digits.substr(1), "sha256:" + digits + "0",
                                "sha512:" + digits, "sha256:" + std::string(64, 'G'), "sha256:" + std::string(64, 'A')})
    EXPECT_FALSE(parse_hash(text).has_value()) << text;
}

TEST(Token, RolesHaveNames) {
  for (const Role role : {Role::Admin, Role::ReadOnly}) EXPECT_EQ(parse_role(role_name(role)), role);
  for (const char* name : {"", "Admin", "readonly", "root"}) EXPECT_FALSE(parse_role(name).has_value()) << name;
}

}  // namespace
}  // namespace lathe::manager
