#include "process.hpp"

#include <fcntl.h>
#include <sys/wait.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {
namespace {

using testing::HasSubstr;

class ProcessTest : public testing::Test {
 protected:
  Command command(const std::string& text) const {
    return {find_shell(), text, {}, open(folder_.path(), O_PATH | O_DIRECTORY), output("stdout"), output("stderr")};
  }
  [[nodiscard]] Descriptor output(const std::string& name) const {
    return open(folder_.path() / name, O_WRONLY | O_CREAT | O_TRUNC);
  }
  static Descriptor open(const std::filesystem::path& path, int flags) {
    return Descriptor(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  }
  static int exit_code_of(pid_t pid) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  TemporaryFolder folder_;
};

TEST_F(ProcessTest, DiesWhenItsGateIsClosed) {
  pid_t pid = 0;
  {
    auto process = GatedProcess::start(command("echo ran"));
    ASSERT_TRUE(process);
    pid = process->pid();
  }
  EXPECT_EQ(exit_code_of(pid), 127);
  EXPECT_EQ(content_of(folder_.path() / "stdout"), "");
}

TEST_F(ProcessTest, RunsInAGroupOfItsOwnOnceReleased) {
  auto process = GatedProcess::start(command("echo $$; exit 7"));
  ASSERT_TRUE(process);
  const auto stat = read_process_stat(process->pid());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->group, process->pid());
  EXPECT_EQ(stat->session, ::getsid(0));
  EXPECT_GT(stat->start_ticks, 0u);
  process->release();
  EXPECT_EQ(exit_code_of(process->pid()), 7);
  EXPECT_EQ(content_of(folder_.path() / "stdout"), std::to_string(process->pid()) + "\n");
  EXPECT_FALSE(process->launch_failure());
}

TEST_F(ProcessTest, TellsWhyItCouldNotRun) {
  Command missing = command("true");
  missing.shell = "/nowhere/bash";
  auto process = GatedProcess::start(missing);
  ASSERT_TRUE(process);
  process->release();
  EXPECT_EQ(exit_code_of(process->pid()), 127);
  EXPECT_THAT(process->launch_failure().value_or(""), HasSubstr("cannot run the shell: No such file"));
}

TEST_F(ProcessTest, RefusesImpossibleEnvironments) {
  for (const std::string name : {"", "A=B"}) {
    Command bad = command("true");
    bad.environment[name] = "1";
    EXPECT_FALSE(GatedProcess::start(bad)) << name;
  }
}

TEST(ProcessStat, SurvivesStrangeProgramNames) {
  EXPECT_FALSE(read_process_stat(0));
  EXPECT_TRUE(read_process_stat(1));
  EXPECT_EQ(read_process_stat(::getpid())->group, ::getpgrp());
}

}  // namespace
}  // namespace lathe::agent
