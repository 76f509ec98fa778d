// The script of a job, run by bash here, and what it and the agent tell each other.
#include "pai/pai_script.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files.hpp"
#include "pai/pai_claim.hpp"
#include "process_stat.hpp"
#include "program_run.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class PaiScriptTest : public testing::Test {
 protected:
  PaiScriptTest() {
    script_.trial_id = "x/1/0";
    script_.folder = script_.working_directory = folder_.path();
    EXPECT_TRUE(claim_.prepare());
  }

  /// Its exit status.
  int run() const {
    std::ofstream(folder_.path() / "pai.sh") << render(script_);
    const std::string file = shell_quoted((folder_.path() / "pai.sh").string());
    const std::string log = shell_quoted((folder_.path() / "log").string());
    const int status = std::system(("bash " + file + " job >>" + log + " 2>&1").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  int run(const std::string& command) {
    script_.command = command;
    return run();
  }

  [[nodiscard]] std::string content(const char* name) const { return content_of(folder_.path() / name); }

  TemporaryFolder folder_;
  PaiClaim claim_{folder_.path(), "job"};
  PaiScript script_;
};

TEST_F(PaiScriptTest, RunsTheCommandAndLeavesItsStatus) {
  script_.environment = {{"GREETING", "it's me"}, {"odd-name", "7"}, {"UID", "5"}};
  EXPECT_EQ(run("echo \"$GREETING\" $(env | grep ^odd) $PWD; echo err >&2; exit 7"), 7);
  EXPECT_EQ(content("stdout"), "it's me odd-name=7 " + folder_.path().string() + "\n");
  EXPECT_EQ(content("stderr"), "err\n");
  EXPECT_EQ(claim_.exit_status(), 7);
  EXPECT_TRUE(claim_.pid());
  EXPECT_FALSE(claim_.host().empty());
  const auto signs = claim_.look();
  EXPECT_TRUE(signs.is_made && signs.has_exit && !signs.is_again);
}

TEST_F(PaiScriptTest, ASignalIsAStatus) {
  EXPECT_EQ(run("kill -SEGV $$"), 128 + SIGSEGV);
  EXPECT_EQ(claim_.exit_status(), 128 + SIGSEGV);
}

TEST_F(PaiScriptTest, RunsOnce) {
  EXPECT_EQ(run("echo ran; exit 3"), 3);
  EXPECT_EQ(run(), pai_refused_status);
  EXPECT_EQ(content("stdout"), "ran\n");
  EXPECT_EQ(claim_.exit_status(), 3);
  EXPECT_TRUE(claim_.look().is_again);
}

TEST_F(PaiScriptTest, WhatTheAgentHasGivenUpNeverRuns) {
  EXPECT_TRUE(claim_.revoke());
  EXPECT_EQ(run("touch ran"), pai_refused_status);
  EXPECT_FALSE(fs::exists(folder_.path() / "ran"));
  EXPECT_FALSE(claim_.exit_status());
}

TEST_F(PaiScriptTest, WhatRunsIsNotGivenUp) {
  EXPECT_EQ(run("true"), 0);
  EXPECT_FALSE(claim_.revoke());
}

TEST_F(PaiScriptTest, AFolderThatIsNotThereIsTold) {
  fs::remove_all(folder_.path() / ".pai");
  EXPECT_EQ(run("true"), pai_readonly_status);
  EXPECT_THAT(content("log"), HasSubstr("cannot write in"));
}

TEST_F(PaiScriptTest, TheAgentsWishReachesEveryProcess) {
  EXPECT_EQ(run("trap 'echo cleaned; exit 9' TERM; sleep 1000 & echo $! >child; touch .pai/job/terminate; wait"), 9);
  EXPECT_EQ(content("stdout"), "cleaned\n");
  const auto child = std::stoi(content("child"));
  // Killed is not yet dead.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (identify(child) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_FALSE(identify(child));
}

TEST_F(PaiScriptTest, AWishThatIsThereBeforeTheCommandIsHeeded) {
  ASSERT_TRUE(claim_.ask_to_end(SIGTERM));
  EXPECT_EQ(run("sleep 1000"), 128 + SIGTERM);
}

TEST_F(PaiScriptTest, AndWhatDoesNotHeedItIsKilled) {
  ASSERT_TRUE(claim_.ask_to_end(SIGTERM));
  ASSERT_TRUE(claim_.ask_to_end(SIGKILL));
  EXPECT_EQ(run("trap '' TERM; sleep 1000"), 128 + SIGKILL);
  EXPECT_EQ(claim_.exit_status(), 128 + SIGKILL);
}

TEST_F(PaiScriptTest, WhatIsLeftOfTheCommandEndsWithIt) {
  EXPECT_EQ(run("sleep 1000 & echo $! >child"), 0);
  const auto child = std::stoi(content("child"));
  // Killed and orphaned: whoever adopts it reaps it when it gets to.
  for (int turn = 0; turn < 500 && content_of("/proc/" + std::to_string(child) + "/cmdline") != ""; ++turn) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(content_of("/proc/" + std::to_string(child) + "/cmdline"), "");
}

TEST_F(PaiScriptTest, AWorkingDirectoryThatIsNotThereIsAFailure) {
  script_.working_directory = folder_.path() / "gone";
  EXPECT_EQ(run("touch ran"), 1);
  EXPECT_EQ(claim_.exit_status(), 1);
  EXPECT_FALSE(fs::exists(folder_.path() / "ran"));
}

TEST_F(PaiScriptTest, ATrialsIdCannotLeaveItsComment) {
  script_.trial_id = "x\ntouch injected\n";
  EXPECT_EQ(run("true"), 0);
  EXPECT_FALSE(fs::exists(folder_.path() / "injected"));
}

TEST_F(PaiScriptTest, ADamagedStatusIsNone) {
  fs::create_directories(folder_.path() / ".pai/job");
  for (const char* text : {"", "x", "-1", "256", "99999999999999999999"}) {
    std::ofstream(folder_.path() / ".pai/job/exit") << text;
    EXPECT_FALSE(claim_.exit_status()) << text;
  }
}

}  // namespace
}  // namespace lathe::agent
