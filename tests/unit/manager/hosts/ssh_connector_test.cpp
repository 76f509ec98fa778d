// The way to a machine, with a program in the place of ssh that runs its command on this one.
#include "hosts/ssh/ssh_connector.hpp"

#include <stdlib.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "../loop.hpp"
#include "../temp_folder.hpp"

namespace lathe::manager {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class SshConnectorTest : public ::testing::Test {
 protected:
  SshConnectorTest() : path_before_(::getenv("PATH")), secrets_(*SecretStore::open(folder_.path() / "secrets")) {
    fs::create_directories(folder_.path() / "bin");
    ::setenv("PATH", ((folder_.path() / "bin").string() + ":" + path_before_).c_str(), 1);
    ::setenv("LATHE_HOME", (folder_.path() / "home").c_str(), 1);
    script("lathe-agent", "echo hello from \"$@\"; exec cat");
    address_.host = "a.lan";
    address_.user = "ana";
  }
  ~SshConnectorTest() override {
    ::setenv("PATH", path_before_.c_str(), 1);
    ::unsetenv("LATHE_HOME");
  }

  void script(const std::string& name, const std::string& body) {
    const fs::path path = folder_.path() / "bin" / name;
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    fs::permissions(path, fs::perms::owner_all);
  }

  /// An ssh that notes how it was called, does `first`, and runs the command.
  void ssh(const std::string& first) {
    script("ssh", "{ echo \"$@\"; env; } > '" + (folder_.path() / "seen").string() + "'\n" + first +
                      "\nfor last; do :; done; exec sh -c \"$last\"");
  }

  [[nodiscard]] std::string seen() const {
    std::ifstream file(folder_.path() / "seen");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  proto::Result<SshMachine> machine() {
    return SshMachine::make(address_, folder_.path() / "bin" / "lathe-agent", folder_.path(), "daemon1", secrets_, {});
  }

  /// The first line behind the bootstrap, or why there is none.
  static asio::awaitable<std::string> first_line(SshConnector& connector) {
    auto socket = co_await connector.connect();
    if (!socket) co_return "error: " + socket.error().message;
    std::string line;
    co_await asio::async_read_until(*socket, asio::dynamic_buffer(line), '\n', asio::use_awaitable);
    co_return line;
  }

  std::string connect() {
    auto made = machine();
    if (!made) return "error: " + made.error().message;
    SshConnector connector(loop_.context.get_executor(), std::make_shared<const SshMachine>(std::move(*made)));
    return loop_.run(first_line(connector));
  }

  TempFolder folder_;
  std::string path_before_;
  Loop loop_;
  SecretStore secrets_;
  proto::SshAddress address_;
};

TEST_F(SshConnectorTest, BringsTheAgentAndSpeaksWithIt) {
  ssh("");
  const std::string expected = "hello from --state-dir " + (folder_.path() / "home/daemon1").string() + " --attach\n";
  EXPECT_EQ(connect(), expected);
  EXPECT_EQ(connect(), expected) << "it is there by now";
}

TEST_F(SshConnectorTest, ANewerAgentReplacesTheOlder) {
  ssh("");
  connect();
  script("lathe-agent", "echo I am newer; exec cat");
  EXPECT_EQ(connect(), "I am newer\n");
}

TEST_F(SshConnectorTest, WhatALoginShellPrintsIsNotTakenForTheAgent) {
  ssh("echo Welcome to a.lan; echo 'LATHE:needless' ");
  EXPECT_THAT(connect(), HasSubstr("hello from"));
}

TEST_F(SshConnectorTest, AShellThatNeverStopsTalkingIsGivenUp) {
  ssh("yes 'Welcome to a.lan'");
  EXPECT_EQ(connect(), "error: its login shell prints too much");
}

TEST_F(SshConnectorTest, WhatSshComplainsOfIsExplained) {
  ssh("echo 'No ED25519 host key is known for a.lan and you have requested strict checking.' >&2\n"
      "echo 'Host key verification failed.' >&2; exit 255");
  EXPECT_EQ(connect(),
            "error: the host key of ana@a.lan is not known: connect once by hand (ssh ana@a.lan) and compare the "
            "fingerprint");
}

TEST_F(SshConnectorTest, ThePasswordIsInAFileOnlyNeitherInWordsNorInTheEnvironment) {
  ssh("");
  address_.password = proto::Secret("hunter2");
  ASSERT_TRUE(secrets_.keep(address_));
  EXPECT_THAT(connect(), HasSubstr("hello from"));
  EXPECT_THAT(seen(), HasSubstr("SSH_ASKPASS_REQUIRE=force"));
  EXPECT_THAT(seen(), HasSubstr("BatchMode=no"));
  EXPECT_THAT(seen(), Not(HasSubstr("hunter2")));
}

TEST_F(SshConnectorTest, WithoutSecretsNothingIsAsked) {
  ssh("");
  connect();
  EXPECT_THAT(seen(), HasSubstr("BatchMode=yes"));
  EXPECT_THAT(seen(), Not(HasSubstr("SSH_ASKPASS=")));
}

TEST_F(SshConnectorTest, ALoginThatHangsCanBeCalledOff) {
  ssh("exec sleep 60");
  auto made = machine();
  ASSERT_TRUE(made);
  SshConnector connector(loop_.context.get_executor(), std::make_shared<const SshMachine>(std::move(*made)));
  auto line = asio::co_spawn(loop_.context, first_line(connector), asio::use_future);
  ASSERT_TRUE(loop_.until([&] { return fs::exists(folder_.path() / "seen"); }));
  connector.cancel();
  ASSERT_TRUE(loop_.until([&] { return line.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }));
  EXPECT_THAT(line.get(), HasSubstr("the connection ended"));
}

TEST_F(SshConnectorTest, AMissingAgentProgramIsNamed) {
  fs::remove(folder_.path() / "bin" / "lathe-agent");
  EXPECT_THAT(connect(), HasSubstr("lathe-agent"));
}

TEST_F(SshConnectorTest, AnAgentThatChangedSinceIsNotSent) {
  ssh("");
  auto made = machine();
  ASSERT_TRUE(made);
  script("lathe-agent", "echo tampered");
  SshConnector connector(loop_.context.get_executor(), std::make_shared<const SshMachine>(std::move(*made)));
  EXPECT_THAT(loop_.run(first_line(connector)), HasSubstr("has changed since lathed was started"));
}

TEST_F(SshConnectorTest, TheControlSocketsPathIsShortWhereverTheDataLies) {
  const fs::path deep = folder_.path() / std::string(60, 'd') / std::string(60, 'e');
  const auto made = SshMachine::make(address_, folder_.path() / "bin" / "lathe-agent", deep, "daemon1", secrets_, {});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_LT(made->settings.control_socket.string().size(), 80u);
  fs::remove(made->settings.control_socket.parent_path());
}

}  // namespace
}  // namespace lathe::manager
