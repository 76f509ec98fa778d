#include "hosts/ssh/secrets.hpp"

#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <fstream>

#include <gtest/gtest.h>

#include "../temp_folder.hpp"

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;

class SecretStoreTest : public ::testing::Test {
 protected:
  SecretStoreTest() : store_(*SecretStore::open(folder_.path() / "secrets")) {}

  static proto::SshAddress address(const std::string& password, const std::string& passphrase) {
    proto::SshAddress address;
    address.host = "a.lan";
    address.password = proto::Secret(password);
    address.passphrase = proto::Secret(passphrase);
    return address;
  }

  static mode_t mode_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777;
  }

  /// What ssh is told when it asks.
  [[nodiscard]] std::string answer_to(const std::string& question) const {
    const std::string command = "LATHE_SSH_PASSWORD_FILE='" + store_.password_file("a.lan").string() +
                                "' LATHE_SSH_PASSPHRASE_FILE='" + store_.passphrase_file("a.lan").string() + "' '" +
                                store_.askpass().string() + "' \"" + question + "\" 2>/dev/null";
    FILE* pipe = ::popen(command.c_str(), "r");
    std::array<char, 256> buffer{};
    const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe);
    ::pclose(pipe);
    return {buffer.data(), size};
  }

  TempFolder folder_;
  SecretStore store_;
};

TEST_F(SecretStoreTest, OnlyTheDaemonsUserCanReadThem) {
  ASSERT_TRUE(store_.keep(address("pa55 w0rd", "open")));
  EXPECT_EQ(mode_of(folder_.path() / "secrets"), 0700u);
  EXPECT_EQ(mode_of(store_.askpass()), 0700u);
  EXPECT_EQ(mode_of(store_.password_file("a.lan")), 0600u);
  EXPECT_EQ(mode_of(store_.passphrase_file("a.lan")), 0600u);
}

TEST_F(SecretStoreTest, SshIsAnsweredWithWhatItAsksFor) {
  ASSERT_TRUE(store_.keep(address("pa55 'w0rd\\n", "open")));
  EXPECT_EQ(answer_to("ana@a.lan's password: "), "pa55 'w0rd\\n\n");
  EXPECT_EQ(answer_to("Enter passphrase for key '/keys/id': "), "open\n");
  EXPECT_EQ(answer_to("Are you sure you want to continue connecting (yes/no/[fingerprint])? "), "no\n");
}

TEST_F(SecretStoreTest, WhatIsNotGivenStaysAsItWas) {
  EXPECT_FALSE(store_.has("a.lan"));
  ASSERT_TRUE(store_.keep(address("", "")));
  EXPECT_FALSE(store_.has("a.lan"));
  ASSERT_TRUE(store_.keep(address("first", "")));
  ASSERT_TRUE(store_.keep(address("", "")));
  EXPECT_TRUE(store_.has("a.lan"));
  EXPECT_EQ(answer_to("password:"), "first\n");
  ASSERT_TRUE(store_.keep(address("second", "")));
  EXPECT_EQ(answer_to("password:"), "second\n");
}

TEST_F(SecretStoreTest, AnotherMachineHasNoneOfThem) {
  ASSERT_TRUE(store_.keep(address("secret", "")));
  EXPECT_FALSE(store_.has("b.lan"));
  EXPECT_NE(store_.password_file("a.lan"), store_.password_file("b.lan"));
}

TEST_F(SecretStoreTest, AFolderThatOthersOpenedIsClosedAgain) {
  fs::permissions(folder_.path() / "secrets", fs::perms::all);
  ASSERT_TRUE(SecretStore::open(folder_.path() / "secrets"));
  EXPECT_EQ(mode_of(folder_.path() / "secrets"), 0700u);
}

TEST_F(SecretStoreTest, AFolderThatCannotBeMadeIsAnError) {
  std::ofstream(folder_.path() / "file") << "";
  EXPECT_FALSE(SecretStore::open(folder_.path() / "file" / "secrets"));
}

}  // namespace
}  // namespace lathe::manager
