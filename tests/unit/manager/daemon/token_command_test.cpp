#include "daemon/token_command.hpp"

#include <stdlib.h>

#include <filesystem>
#include <initializer_list>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

#include "access/token_file.hpp"

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;

class TokenCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "lathe-token-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  int run(std::initializer_list<const char*> words) {
    std::vector<const char*> argv{"token"};
    argv.insert(argv.end(), words);
    argv.insert(argv.end(), {"--data-dir", folder_.c_str()});
    out_.str("");
    err_.str("");
    return run_token_command(static_cast<int>(argv.size()), argv.data(), out_, err_);
  }

  std::string folder_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(TokenCommand, MakesListsAndRemovesTokens) {
  ASSERT_EQ(run({"add", "ana", "--role", "admin"}), 0) << err_.str();
  std::string token = out_.str();
  ASSERT_EQ(token.back(), '\n');
  token.pop_back();
  const auto tokens = TokenFile(folder_).read().value().tokens;
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_TRUE(is_equal(tokens[1].hash, hash_token(token)));
  ASSERT_EQ(run({"add", "bob"}), 0);
  ASSERT_EQ(run({"ls"}), 0);
  EXPECT_EQ(out_.str(), "NAME      ROLE\noperator  admin\nana       admin\nbob       read-only\n");
  ASSERT_EQ(run({"rm", "ana"}), 0);
  ASSERT_EQ(run({"ls"}), 0);
  EXPECT_EQ(out_.str().find("ana"), std::string::npos);
}

TEST_F(TokenCommand, SaysWhatItRefuses) {
  EXPECT_EQ(run({"rm", "ana"}), 1);
  EXPECT_NE(err_.str().find("No such file"), std::string::npos) << err_.str();
  ASSERT_EQ(run({"add", "ana"}), 0);
  EXPECT_EQ(run({"add", "ana"}), 1);
  EXPECT_NE(err_.str().find("already"), std::string::npos);
  EXPECT_EQ(run({"add", "bob", "--role", "root"}), 2);
  EXPECT_EQ(run({"add"}), 2);
  EXPECT_EQ(run({}), 2);
}

}  // namespace
}  // namespace lathe::manager
