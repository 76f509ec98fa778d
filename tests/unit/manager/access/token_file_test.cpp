#include "access/token_file.hpp"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;

class TokenFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "lathe-tokens-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string text_of(const fs::path& path) {
    std::ifstream stream(path);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void write(const std::string& text) {
    std::ofstream(file().path(), std::ios::trunc) << text;
    fs::permissions(file().path(), fs::perms(0600));
  }
  std::string refusal() const {
    const auto content = file().read();
    return content ? "" : content.error().to_string();
  }
  TokenFile file() const { return TokenFile(folder_); }

  fs::path folder_;
};

TEST_F(TokenFiles, AreMadeWithTheOperatorsToken) {
  ASSERT_TRUE(file().make_if_missing().has_value());
  const auto content = file().read();
  ASSERT_TRUE(content.has_value()) << content.error().to_string();
  ASSERT_EQ(content->tokens.size(), 1u);
  EXPECT_EQ(content->tokens[0].name, "operator");
  EXPECT_EQ(content->tokens[0].role, Role::Admin);
  std::string token = text_of(file().operator_path());
  ASSERT_EQ(token.back(), '\n');
  token.pop_back();
  EXPECT_TRUE(is_equal(content->tokens[0].hash, hash_token(token)));
  EXPECT_EQ(text_of(file().path()).find(token), std::string::npos) << "only the hash is kept";
  for (const fs::path& path : {file().path(), file().operator_path()})
    EXPECT_EQ(fs::status(path).permissions(), fs::perms(0600)) << path;
  ASSERT_TRUE(file().make_if_missing().has_value());
  EXPECT_EQ(text_of(file().operator_path()), token + "\n") << "not made again";
}

TEST_F(TokenFiles, TakeAndLoseTokens) {
  const auto ana = file().add("ana", Role::Admin);
  const auto bob = file().add("bob", Role::ReadOnly);
  ASSERT_TRUE(ana && bob);
  EXPECT_NE(*ana, *bob);
  auto tokens = file().read().value().tokens;
  ASSERT_EQ(tokens.size(), 3u);
  EXPECT_EQ(tokens[2].name, "bob");
  EXPECT_EQ(tokens[2].role, Role::ReadOnly);
  EXPECT_TRUE(is_equal(tokens[2].hash, hash_token(*bob)));
  EXPECT_NE(file().add("ana", Role::Admin).error().message.find("already"), std::string::npos);
  ASSERT_TRUE(file().remove("ana").has_value());
  tokens = file().read().value().tokens;
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[1].name, "bob");
  EXPECT_FALSE(file().remove("ana").has_value());
  EXPECT_EQ(text_of(file().path()).front(), '#') << "remarks stay";
}

TEST_F(TokenFiles, LoseTheOperatorsFileWithItsToken) {
  ASSERT_TRUE(file().make_if_missing().has_value());
  ASSERT_TRUE(file().remove("operator").has_value());
  EXPECT_FALSE(fs::exists(file().operator_path()));
  ASSERT_TRUE(file().add("operator", Role::Admin).has_value());
  EXPECT_TRUE(fs::exists(file().operator_path()));
}

TEST_F(TokenFiles, RefuseNamesThatAreNoWord) {
  for (const char* name : {"", "two words", "line\nbreak", "#remark", "../tokens", "n\xc3\xa4me"})
    EXPECT_FALSE(file().add(name, Role::Admin).has_value()) << name;
  EXPECT_FALSE(file().add(std::string(65, 'a'), Role::Admin).has_value());
  EXPECT_TRUE(file().add(std::string(64, 'a'), Role::Admin).has_value());
}

TEST_F(TokenFiles, AreRefusedWhenOthersHaveAccess) {
  ASSERT_TRUE(file().make_if_missing().has_value());
  for (const unsigned mode : {0644u, 0640u, 0604u, 0622u, 0601u}) {
    fs::permissions(file().path(), fs::perms(mode));
    EXPECT_NE(refusal().find("run: chmod 600 " + file().path().string()), std::string::npos) << refusal();
  }
  fs::permissions(file().path(), fs::perms(0400));
  EXPECT_EQ(refusal(), "");
}

TEST_F(TokenFiles, AreRefusedWhenTheyAreAnothersOrALink) {
  ASSERT_TRUE(file().make_if_missing().has_value());
  fs::rename(file().path(), folder_ / "elsewhere");
  fs::create_symlink("elsewhere", file().path());
  EXPECT_NE(refusal().find("symbolic link"), std::string::npos) << refusal();
  fs::rename(folder_ / "elsewhere", file().path());
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown(file().path().c_str(), 12345, 12345), 0);
  EXPECT_NE(refusal().find("belongs to user 12345"), std::string::npos) << refusal();
}

TEST_F(TokenFiles, ThatRootMakesBelongToTheOwnerOfTheFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown(folder_.c_str(), 12345, 12345), 0);
  ASSERT_TRUE(file().add("ana", Role::Admin).has_value());
  for (const char* name : {"tokens", "tokens.lock", "operator-token"}) {
    struct stat status {};
    ASSERT_EQ(::stat((folder_ / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_uid, 12345u) << name;
  }
  EXPECT_EQ(refusal(), "");
}

TEST_F(TokenFiles, SayWhichLineIsWrongWithoutItsWords) {
  const std::string hash = to_text(hash_token("x"));
  write("# remark\n\n  admin\tana  " + hash + "\r\nread-only bob " + hash);
  EXPECT_EQ(refusal(), "");
  const std::string good = "admin ana " + hash + "\n";
  for (const std::string& line :
       std::vector<std::string>{"root bob " + hash, "admin bob lathe_secret", "admin b/b " + hash, "admin",
                                "admin bob " + hash + " more", "read-only ana " + hash}) {
    write(good + line + "\n");
    EXPECT_NE(refusal().find("tokens:2: "), std::string::npos) << refusal();
    EXPECT_EQ(refusal().find("secret"), std::string::npos) << refusal();
  }
}

}  // namespace
}  // namespace lathe::manager
