#include "token.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

namespace lathe::cli {
namespace {

namespace fs = std::filesystem;

class FindToken : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "lathectl-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    sources_.data_dirs = {folder_};
  }
  void TearDown() override {
    if (lock_ >= 0) ::close(lock_);
    fs::remove_all(folder_);
  }

  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  /// The folder of a lathed that runs.
  void run_daemon(const std::string& address) {
    write("lathed.address", address + "\n");
    write("operator-token", "lathe_operator\n");
    lock_ = ::open((folder_ / "lathed.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_EQ(::flock(lock_, LOCK_EX), 0);
  }
  std::string found(const std::string& url = "http://127.0.0.1:8080") const {
    const auto token = find_token(sources_, parse_base_url(url).value());
    return token ? *token : "refused: " + token.error().message;
  }

  fs::path folder_;
  TokenSources sources_;
  int lock_ = -1;
};

TEST_F(FindToken, TheCommandLineGoesBeforeTheEnvironmentAndTheDataFolder) {
  run_daemon("127.0.0.1:8080");
  write("a", "  lathe_a \r\n");
  write("b", "lathe_b");
  EXPECT_EQ(found(), "lathe_operator");
  sources_.environment_file = (folder_ / "b").string();
  EXPECT_EQ(found(), "lathe_b");
  sources_.environment = "lathe_c";
  EXPECT_EQ(found(), "lathe_c");
  sources_.file = (folder_ / "a").string();
  EXPECT_EQ(found(), "lathe_a");
}

TEST_F(FindToken, TheOperatorsIsForItsOwnDaemonAlone) {
  EXPECT_EQ(found(), "") << "no daemon";
  run_daemon("[::1]:8080");
  EXPECT_EQ(found("http://localhost:8080"), "lathe_operator");
  EXPECT_EQ(found("http://localhost:8081"), "") << "another port";
  EXPECT_EQ(found("http://gpu1:8080"), "") << "another machine";
  ::close(lock_);
  lock_ = -1;
  EXPECT_EQ(found(), "") << "the daemon has died, and anybody may listen on its port now";
}

TEST_F(FindToken, NoLinkOfAnotherLeadsToIt) {
  run_daemon("127.0.0.1:8080");
  fs::rename(folder_ / "operator-token", folder_ / "elsewhere");
  fs::create_symlink("elsewhere", folder_ / "operator-token");
  EXPECT_EQ(found(), "");
}

TEST_F(FindToken, WhatIsNoTokenIsRefused) {
  for (const std::string& text : {std::string(), std::string("\n"), std::string("two words"), std::string("a\nb"),
                                  std::string("\x01"), std::string(5000, 'a')}) {
    fs::remove(folder_ / "token");
    write("token", text);
    sources_.file = (folder_ / "token").string();
    EXPECT_EQ(found().substr(0, 8), "refused:") << text;
  }
  sources_.file = "/no/such/file";
  EXPECT_NE(found().find("/no/such/file: No such file"), std::string::npos) << found();
}

}  // namespace
}  // namespace lathe::cli
