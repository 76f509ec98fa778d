// The batch script, run by the shell as a node would.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "files.hpp"
#include "program_run.hpp"
#include "slurm/claim.hpp"
#include "slurm/trial_script.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {
namespace {

using testing::HasSubstr;

class TrialScriptTest : public testing::Test {
 protected:
  TrialScriptTest() {
    std::filesystem::create_directories(folder());
    EXPECT_TRUE(Claim::prepare(folder()));
    script_.trial_id = "x/it's\nexit 99\n/0";
    script_.folder = folder();
    script_.working_directory = temporary_.path();
  }

  /// Starts the script; its process id.
  pid_t begin(const std::string& token = "ab") {
    const std::filesystem::path file = folder() / "slurm.sh";
    std::ofstream(file) << render(script_);
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::setenv("SLURM_JOB_ID", "77", 1);
      const std::string command = "exec bash " + shell_quoted(file) + " " + token + " >>" +
                                  shell_quoted(folder() / "stdout") + " 2>>" + shell_quoted(folder() / "stderr");
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    return pid;
  }
  static int wait_for(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int run(const std::string& token = "ab") { return wait_for(begin(token)); }
  void wait_for_file(const std::string& name) const {
    for (int i = 0; i < 20'000 && !std::filesystem::exists(folder() / name); ++i) ::usleep(1000);
    ASSERT_TRUE(std::filesystem::exists(folder() / name)) << name;
  }

  [[nodiscard]] std::filesystem::path folder() const { return temporary_.path() / "a b'c%d"; }
  [[nodiscard]] Claim claim(const std::string& token = "ab") const { return {folder(), token}; }
  [[nodiscard]] std::string output() const { return content_of(folder() / "stdout"); }

  TemporaryFolder temporary_;
  TrialScript script_;
};

TEST_F(TrialScriptTest, RunsTheCommandInItsFolderAndLeavesItsStatus) {
  script_.command = "pwd; exit 7";
  EXPECT_EQ(run(), 7);
  EXPECT_EQ(output(), temporary_.path().string() + "\n");
  EXPECT_EQ(claim().exit_status(), 7);
  EXPECT_EQ(claim().job_id(), 77);
}

TEST_F(TrialScriptTest, AnyValueComesThrough) {
  const std::string value = "it's \"$HOME\" `id` \\ \n\t* ?é";
  script_.environment = {{"VALUE", value}, {"odd.name", value}, {"UID", "5"}, {"EMPTY", ""}};
  script_.command = "printf '%s|' \"$VALUE\" \"${EMPTY-unset}\"; env -0 | grep -z ^odd.name= | tr -d '\\0'";
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(output(), value + "||odd.name=" + value);
}

TEST_F(TrialScriptTest, ThePrologueComesFirstAndSeesTheEnvironment) {
  script_.environment = {{"A", "1"}};
  script_.prologue = "export B=$A$A\nf() { echo from-a-function; }\nf";
  script_.command = "echo $B";
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(output(), "from-a-function\n11\n");
}

TEST_F(TrialScriptTest, APrologueMayGiveUp) {
  script_.prologue = "exit 3";
  script_.command = "echo ran";
  EXPECT_EQ(run(), 3);
  EXPECT_EQ(claim().exit_status(), 3);
  EXPECT_EQ(output(), "");
}

TEST_F(TrialScriptTest, RunsOnce) {
  script_.command = "echo ran";
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(run(), 75);
  EXPECT_EQ(output(), "ran\n");
  EXPECT_EQ(claim().exit_status(), 0);
  EXPECT_FALSE(claim().revoke());
}

TEST_F(TrialScriptTest, DoesNotRunOnceGivenUp) {
  script_.command = "echo ran";
  EXPECT_TRUE(claim("cd").revoke());
  EXPECT_EQ(run("cd"), 75);
  EXPECT_EQ(output(), "");
  EXPECT_FALSE(claim("cd").exit_status());
}

TEST_F(TrialScriptTest, ACommandThatASignalEnds) {
  script_.command = "kill -SEGV $$";
  EXPECT_EQ(run(), 139);
  EXPECT_EQ(claim().exit_status(), 139);
}

TEST_F(TrialScriptTest, OutlivesASigtermToTellTheEnd) {
  script_.environment = {{"FOLDER", folder()}};
  script_.command =
      "trap 'touch \"$FOLDER/termed\"; exit 9' TERM; echo $$ >\"$FOLDER/pid\"; touch \"$FOLDER/written\"; "
      "while :; do sleep 0.01; done";
  const pid_t pid = begin();
  wait_for_file("written");
  ::kill(pid, SIGTERM);
  ::kill(std::stoi(content_of(folder() / "pid")), SIGTERM);
  EXPECT_EQ(wait_for(pid), 9);
  EXPECT_EQ(claim().exit_status(), 9);
  EXPECT_TRUE(std::filesystem::exists(folder() / "termed"));
}

TEST_F(TrialScriptTest, HandsOnTheSignalsThatItAloneGets) {
  script_.command = "trap 'exit 8' USR1; touch " + shell_quoted(folder() / "begun") + "; while :; do sleep 0.01; done";
  const pid_t pid = begin();
  wait_for_file("begun");
  ::kill(pid, SIGUSR1);
  EXPECT_EQ(wait_for(pid), 8);
}

TEST_F(TrialScriptTest, AMissingWorkingDirectoryIsAnEnd) {
  script_.working_directory = "/nowhere";
  script_.command = "echo ran";
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(content_of(folder() / "stderr"), HasSubstr("/nowhere"));
}

TEST_F(TrialScriptTest, ATaskOfAnArrayRunsItsTrial) {
  script_.command = "exit 4";
  std::ofstream(folder() / "slurm.sh") << render(script_);
  std::ofstream(temporary_.path() / "array") << render_array({"/nowhere", folder() / "slurm.sh"}, "ab");
  const std::string array = "bash " + shell_quoted(temporary_.path() / "array");
  EXPECT_EQ(WEXITSTATUS(std::system(("SLURM_JOB_ID=1 SLURM_ARRAY_TASK_ID=1 " + array).c_str())), 4);
  EXPECT_EQ(claim().exit_status(), 4);
  EXPECT_EQ(WEXITSTATUS(std::system(("SLURM_ARRAY_TASK_ID=2 " + array + " 2>/dev/null").c_str())), 1);
}

TEST(Claim, OfAFolderThatIsGoneCannotRun) {
  EXPECT_TRUE(Claim("/nowhere/at/all", "ab").revoke());
  EXPECT_FALSE(Claim("/nowhere/at/all", "ab").is_made());
  EXPECT_FALSE(Claim("/nowhere/at/all", "ab").exit_status());
}

TEST(Claim, ADamagedStatusIsNone) {
  const TemporaryFolder folder;
  ASSERT_TRUE(Claim::prepare(folder.path()));
  const Claim claim(folder.path(), "ab");
  ASSERT_TRUE(claim.revoke());
  for (const char* text : {"", "x", "-1", "256", "99999999999999999999"}) {
    std::ofstream(folder.path() / ".slurm/ab/exit") << text;
    EXPECT_FALSE(claim.exit_status()) << text;
  }
}

}  // namespace
}  // namespace lathe::agent
