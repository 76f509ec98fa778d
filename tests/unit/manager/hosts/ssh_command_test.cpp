#include "hosts/ssh/ssh_command.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/proto/file_stream.hpp>

#include "../temp_folder.hpp"

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

proto::SshAddress address() {
  proto::SshAddress address;
  address.host = "a.lan";
  address.port = 2222;
  address.user = "ana";
  address.key_file = "/keys/id";
  address.password = proto::Secret("hunter2");
  address.passphrase = proto::Secret("open sesame");
  return address;
}

bool has_option(const std::vector<std::string>& words, const std::string& value) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "-o" && words[i + 1] == value) return true;
  }
  return false;
}

TEST(SshCommand, SaysWhereAndHowButNeverAPassword) {
  const auto words = ssh_master(address(), {"/run/s", "/etc/own_config", true}, "the command");
  EXPECT_EQ(words.front(), "ssh");
  EXPECT_THAT(words, Contains("-p"));
  EXPECT_THAT(words, Contains("2222"));
  EXPECT_THAT(words, Contains("/keys/id"));
  EXPECT_THAT(words, Contains("/etc/own_config"));
  EXPECT_EQ(std::vector<std::string>(words.end() - 3, words.end()),
            (std::vector<std::string>{"--", "a.lan", "the command"}));
  for (const std::string& word : words) {
    EXPECT_THAT(word, Not(HasSubstr("hunter2")));
    EXPECT_THAT(word, Not(HasSubstr("sesame")));
  }
}

TEST(SshCommand, AsksForNothingWithoutASecretAndNeverTrustsAnUnknownKey) {
  const auto with = ssh_master(address(), {"/run/s", "", true}, "x");
  const auto without = ssh_master(address(), {"/run/s", "", false}, "x");
  EXPECT_TRUE(has_option(with, "BatchMode=no"));
  EXPECT_TRUE(has_option(without, "BatchMode=yes"));
  for (const std::string& word : with) EXPECT_THAT(word, Not(HasSubstr("StrictHostKeyChecking")));
}

TEST(SshCommand, AnotherSessionNeverConnectsByItself) {
  const auto words = ssh_beside(address(), {"/run/s", "", true}, "x");
  EXPECT_TRUE(has_option(words, "ControlMaster=no"));
  EXPECT_TRUE(has_option(words, "ProxyCommand=false"));
  EXPECT_TRUE(has_option(words, "BatchMode=yes"));
}

TEST(SshCommand, WhatIsNotSetIsLeftToTheUsersConfig) {
  proto::SshAddress plain;
  plain.host = "alias";
  const auto words = ssh_master(plain, {"/run/s", "", false}, "x");
  for (const char* option : {"-p", "-l", "-i", "-F"}) EXPECT_THAT(words, Not(Contains(option)));
}

// ---- what ssh complains of ----

TEST(SshCommand, ComplaintsBecomeAdvice) {
  struct Case {
    const char* complaint;
    const char* advice;
  };
  for (const Case& c : {
           Case{"No ED25519 host key is known for [a.lan]:2222 and you have requested strict checking.\n"
                "Host key verification failed.\n",
                "the host key of ana@a.lan:2222 is not known: connect once by hand (ssh -p 2222 ana@a.lan) and "
                "compare the fingerprint"},
           Case{"@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n",
                "ssh-keygen -R '[a.lan]:2222'"},
           Case{"ana@a.lan: Permission denied (publickey,password).\n", "refused the login"},
           Case{"ssh: connect to host a.lan port 2222: Connection refused\n",
                "nothing listens at ana@a.lan:2222: is sshd running there?"},
           Case{"ssh: Could not resolve hostname a.lan: Name or service not known\n", "no machine with the name"},
           Case{"Timeout, server a.lan not responding.\n", "has stopped answering"},
           Case{"something new\nand its last line\n", "and its last line"},
           Case{"", "the connection to ana@a.lan:2222 ended"},
       }) {
    EXPECT_THAT(explain_ssh(c.complaint, address()), HasSubstr(c.advice)) << c.complaint;
  }
}

// ---- the script at the other end ----

class BootstrapTest : public ::testing::Test {
 protected:
  BootstrapTest() {
    const std::string program = "#!/bin/sh\necho agent \"$@\"\n";
    file_ = folder_.path() / "lathe-agent";
    std::ofstream(file_) << program;
    image_ = {file_, program.size(), proto::hash_of_text(program)};
  }

  /// What a login shell that is given the command prints; `sent` comes from its stdin.
  std::string run(const std::string& shell, const std::string& command, const std::string& sent) {
    const fs::path script = folder_.path() / "command";
    const fs::path input = folder_.path() / "input";
    std::ofstream(script) << command;
    std::ofstream(input) << sent;
    const std::string line = "LATHE_HOME='" + home().string() + "' " + shell + " -c \"$(cat '" + script.string() +
                             "')\" < '" + input.string() + "' 2>&1";
    FILE* pipe = ::popen(line.c_str(), "r");
    std::string output;
    std::array<char, 512> buffer{};
    for (std::size_t size = 0; (size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
      output.append(buffer.data(), size);
    ::pclose(pipe);
    return output;
  }

  [[nodiscard]] std::string program() const {
    std::ifstream file(file_);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  [[nodiscard]] fs::path home() const { return folder_.path() / "a home"; }

  TempFolder folder_;
  fs::path file_;
  AgentImage image_;
};

TEST_F(BootstrapTest, AMissingAgentIsAskedForAndBecomesTheCommand) {
  const std::string output = run("bash", attach_command(image_, "d1"), program());
  EXPECT_EQ(output, "LATHE:need\nLATHE:ready\nagent --state-dir " + (home() / "d1").string() + " --attach\n");
  const auto mode = fs::status(home() / "bin" / ("lathe-agent-" + image_.hash.substr(0, 16))).permissions();
  EXPECT_EQ(mode, fs::perms::owner_all);
}

TEST_F(BootstrapTest, AnAgentThatIsThereIsNotAskedForAgain) {
  run("sh", attach_command(image_, "d1"), program());
  EXPECT_THAT(run("sh", attach_command(image_, "d1"), ""), StartsWith("LATHE:ready\n"));
  EXPECT_THAT(run("sh", files_command(image_, "d1"), ""), EndsWith("--files\n"));
}

TEST_F(BootstrapTest, AnAgentOfAnotherHashIsBroughtBeside) {
  run("sh", attach_command(image_, "d1"), program());
  AgentImage newer = image_;
  const std::string text = program() + "# newer\n";
  newer.size = text.size();
  newer.hash = proto::hash_of_text(text);
  EXPECT_THAT(run("sh", attach_command(newer, "d1"), text), StartsWith("LATHE:need\nLATHE:ready\n"));
  EXPECT_EQ(std::distance(fs::directory_iterator(home() / "bin"), fs::directory_iterator()), 2);
}

TEST_F(BootstrapTest, BytesThatAreNotTheAgentAreNotKept) {
  std::string spoiled = program();
  spoiled.back() = 'X';
  EXPECT_THAT(run("sh", attach_command(image_, "d1"), spoiled), HasSubstr("LATHE:failed the agent cannot be put"));
  EXPECT_THAT(run("sh", attach_command(image_, "d1"), program().substr(5)), HasSubstr("LATHE:failed"));
  EXPECT_TRUE(fs::is_empty(home() / "bin"));
}

TEST_F(BootstrapTest, AFolderThatCannotBeMadeIsSaid) {
  std::ofstream(home()) << "in the way";
  EXPECT_THAT(run("sh", attach_command(image_, "d1"), program()),
              AllOf(HasSubstr("LATHE:failed"), Not(HasSubstr("LATHE:ready"))));
}

TEST_F(BootstrapTest, TheCommandIsOneQuotedWordForWhateverShell) {
  const std::string command = attach_command(image_, "d1");
  EXPECT_EQ(std::count(command.begin(), command.end(), '\''), 2);
  EXPECT_EQ(command.find_first_of("!\n"), std::string::npos);
}

}  // namespace
}  // namespace lathe::manager
