#include "kept_process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exit_record.hpp"
#include "files.hpp"
#include "keeper.hpp"
#include "launch_plan.hpp"
#include "process_stat.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {
namespace {

using proto::LaunchReport;
using proto::LaunchStep;

class KeptProcessTest : public testing::Test {
 protected:
  KeptProcessTest() { ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

  Command command(const std::string& text) const {
    return {find_shell(), text, {}, open(folder_.path(), O_PATH | O_DIRECTORY), output("stdout"), output("stderr")};
  }
  [[nodiscard]] Descriptor output(const std::string& name) const {
    return open(folder_.path() / name, O_WRONLY | O_CREAT | O_TRUNC);
  }
  static Descriptor open(const std::filesystem::path& path, int flags) {
    return Descriptor(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  }
  KeptProcess start(const Command& given) {
    auto process = start_kept(given, exit_record_);
    if (!process) throw std::runtime_error(process.error().message);
    return std::move(*process);
  }
  KeptProcess start(const std::string& text) { return start(command(text)); }
  /// The end that the keeper has written down, once it has ended.
  std::optional<ExitRecord> end_of(const KeptProcess& process) {
    int status = 0;
    EXPECT_EQ(::waitpid(process.keeper, &status, 0), process.keeper);
    EXPECT_EQ(status, 0);
    return read_exit_record(record_file_);
  }
  [[nodiscard]] std::string printed() const { return content_of(folder_.path() / "stdout"); }
  /// Waits until the command has written the file.
  void wait_for(const std::string& name) const {
    while (content_of(folder_.path() / name).empty()) ::sched_yield();
  }

  TemporaryFolder folder_;
  std::filesystem::path record_file_ = folder_.path() / "exit";
  Descriptor exit_record_ = make_exit_record(record_file_).value();
};

TEST_F(KeptProcessTest, DoesNothingWhenItsGateIsClosed) {
  KeptProcess process = start("echo ran");
  process.gate.reset();
  EXPECT_EQ(end_of(process), ExitRecord(LaunchReport{LaunchStep::Gate, 0}));
  EXPECT_EQ(printed(), "");
}

TEST_F(KeptProcessTest, LeadsAGroupInTheSessionOfItsKeeper) {
  const KeptProcess process = start("echo $$; exit 7");
  const auto stat = read_process_stat(process.command);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->group, process.command);
  EXPECT_EQ(stat->session, process.keeper);
  EXPECT_EQ(stat->parent, process.keeper);
  open_gate(process.gate.get());
  EXPECT_EQ(end_of(process), ExitRecord(ExitCode{7}));
  EXPECT_EQ(printed(), std::to_string(process.command) + "\n");
}

TEST_F(KeptProcessTest, WritesDownWhyItCouldNotRun) {
  Command missing = command("true");
  missing.shell = "/nowhere/bash";
  const KeptProcess process = start(missing);
  open_gate(process.gate.get());
  const auto end = end_of(process);
  ASSERT_TRUE(end);
  EXPECT_EQ(describe(std::get<LaunchReport>(*end)), "cannot run the shell: No such file or directory");
}

TEST_F(KeptProcessTest, WritesDownTheSignalThatEndedIt) {
  const KeptProcess process = start("kill -SEGV $$");
  open_gate(process.gate.get());
  EXPECT_EQ(end_of(process), ExitRecord(EndingSignal{SIGSEGV}));
}

TEST_F(KeptProcessTest, EndsWhatTheCommandLeavesBehind) {
  const KeptProcess process = start("sleep 1000 & echo $!; exit 3");
  open_gate(process.gate.get());
  EXPECT_EQ(end_of(process), ExitRecord(ExitCode{3}));
  EXPECT_FALSE(identify(std::stoi(printed())));
}

TEST_F(KeptProcessTest, ATerminationIsForTheWholeGroupInItsOwnTime) {
  const std::string child =
      "bash -c 'trap \"echo saved > saved; exit 0\" TERM; echo > trapped; while :; do sleep 0.02; done'";
  const KeptProcess process = start(child + " & wait");
  open_gate(process.gate.get());
  wait_for("trapped");
  ::kill(process.keeper, terminate_signal);
  EXPECT_EQ(end_of(process), ExitRecord(EndingSignal{SIGTERM}));
  EXPECT_EQ(content_of(folder_.path() / "saved"), "saved\n");
}

TEST_F(KeptProcessTest, AKillWaitsForNobody) {
  const KeptProcess process = start("trap '' TERM; echo > trapped; while :; do sleep 0.02; done");
  open_gate(process.gate.get());
  wait_for("trapped");
  ::kill(process.keeper, terminate_signal);
  ::kill(process.keeper, kill_signal);
  EXPECT_EQ(end_of(process), ExitRecord(EndingSignal{SIGKILL}));
}

TEST_F(KeptProcessTest, AKeeperHeedsNoOtherSignalThatItCanRefuse) {
  ASSERT_EQ(::mkfifo((folder_.path() / "go").c_str(), 0600), 0);
  const KeptProcess process = start("read line < go; exit 5");
  open_gate(process.gate.get());
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGALRM, SIGPIPE}) ::kill(process.keeper, number);
  append_to(folder_.path() / "go", "\n");
  EXPECT_EQ(end_of(process), ExitRecord(ExitCode{5}));
}

TEST_F(KeptProcessTest, AKeeperHoldsNothingOfTheAgents) {
  const Descriptor lock = open(folder_.path(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(::mkfifo((folder_.path() / "go").c_str(), 0600), 0);
  const KeptProcess process = start("read line < go");
  open_gate(process.gate.get());
  // The last of what it needed for the start goes when the command may run already.
  std::vector<std::string> open_files;
  do {
    open_files.clear();
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(process.keeper) + "/fd")) {
      open_files.push_back(entry.path().filename());
    }
  } while (open_files.size() > 5);
  EXPECT_THAT(open_files, testing::UnorderedElementsAre("0", "1", "2", "3", "4"));
  append_to(folder_.path() / "go", "\n");
  EXPECT_EQ(end_of(process), ExitRecord(ExitCode{0}));
}

TEST_F(KeptProcessTest, RefusesImpossibleEnvironments) {
  for (const std::string name : {"", "A=B"}) {
    Command bad = command("true");
    bad.environment[name] = "1";
    EXPECT_FALSE(start_kept(bad, exit_record_)) << name;
  }
}

TEST(ExitRecord, OnlyWholeOnesCount) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "exit";
  const Descriptor record = make_exit_record(file).value();
  EXPECT_FALSE(read_exit_record(file));
  EXPECT_FALSE(make_exit_record(file)) << "it is there already";
  write_exit_record(record.get(), ExitCode{255});
  EXPECT_EQ(read_exit_record(file), ExitRecord(ExitCode{255}));
  const std::string whole = content_of(file);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(parse_exit_record(whole.substr(0, length))) << length;
  }
  EXPECT_FALSE(parse_exit_record(whole + " "));
  EXPECT_FALSE(parse_exit_record("exit x" + whole.substr(6)));
  EXPECT_FALSE(read_exit_record(folder.path() / "nothing"));
}

TEST(ProcessStat, SurvivesStrangeProgramNames) {
  EXPECT_FALSE(read_process_stat(0));
  EXPECT_TRUE(read_process_stat(1));
  EXPECT_EQ(read_process_stat(::getpid())->group, ::getpgrp());
}

TEST(ProcessStat, KnowsAProcessFromALaterOneWithItsId) {
  auto self = identify(::getpid());
  ASSERT_TRUE(self);
  EXPECT_TRUE(is_alive(*self));
  ++self->start_ticks;
  EXPECT_FALSE(is_alive(*self));
  EXPECT_FALSE(is_alive({}));
}

}  // namespace
}  // namespace lathe::agent
