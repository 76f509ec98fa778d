// What the agent does for one trial, with real commands.

#include <signal.h>

#include <gmock/gmock.h>

#include <cerrno>

#include "agent_fixture.hpp"
#include "files.hpp"

namespace lathe::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class TrialsTest : public AgentTest {
 protected:
  std::unique_ptr<FakeDaemon> daemon_ = start_agent();
};

bool is_gone(const std::filesystem::path& pid_file) {
  return ::kill(std::stoi(content_of(pid_file)), 0) != 0 && errno == ESRCH;
}

TEST_F(TrialsTest, ReportsStartAndExitCode) {
  daemon_->send(trial("a", "exit 3"));
  const auto exited = daemon_->wait_for_exit("a");
  EXPECT_EQ(exited.exit_code, 3);
  EXPECT_FALSE(exited.signal);
  EXPECT_EQ(exited.error, "");
  EXPECT_EQ(exited.killed_by, "");
  EXPECT_FALSE(exited.lost);
  ASSERT_THAT(daemon_->events, SizeIs(2));
  EXPECT_EQ(daemon_->events[0].sequence, 1u);
  EXPECT_GT(std::get<proto::TrialStarted>(daemon_->events[0].event).pid, 0);
}

TEST_F(TrialsTest, ReportsTheSignalThatEndedIt) {
  daemon_->send(trial("a", "kill -SEGV $$"));
  const auto exited = daemon_->wait_for_exit("a");
  EXPECT_EQ(exited.signal, SIGSEGV);
  EXPECT_FALSE(exited.exit_code);
  EXPECT_EQ(exited.killed_by, "");
}

TEST_F(TrialsTest, GivesTheTrialItsSurroundings) {
  auto start = trial("a", "pwd; echo $GREETING; cat; cat $NNI_SYS_DIR/parameter.cfg; echo oops >&2");
  start.environment["GREETING"] = "hello = there";
  daemon_->send(start);
  EXPECT_EQ(daemon_->wait_for_exit("a").stderr_tail, "oops\n");
  EXPECT_EQ(content_of(directory_of("a") / "stdout"),
            folder_.path().string() + "\nhello = there\n" + "{\"parameter_id\": 0}");
}

TEST_F(TrialsTest, TellsTheFolderThatTrialsOfTheHostShare) {
  daemon_->send(trial("a", "cd \"$LATHE_HOST_DIRECTORY\" && pwd -P"));
  daemon_->wait_for_exit("a");
  EXPECT_EQ(content_of(directory_of("a") / "stdout"), std::filesystem::canonical(state_).string() + "\n");
}

TEST_F(TrialsTest, LeaksNoDescriptorsAndNoSignalSettings) {
  // The C library keeps signals 32 and 33 to itself, so nobody can reset them.
  const std::string show = "echo $((0x$(grep $name /proc/self/status | cut -f2) & ~0x180000000)); ";
  daemon_->send(trial("a", "ls /proc/self/fd | wc -l; for name in SigBlk SigIgn; do " + show + "done"));
  daemon_->wait_for_exit("a");
  // 0, 1, 2 and the one that ls reads the folder with.
  EXPECT_EQ(content_of(directory_of("a") / "stdout"), "4\n0\n0\n");
}

TEST_F(TrialsTest, ShowsMetricsWhileTheTrialRuns) {
  daemon_->send(trial("a", "mkfifo $NNI_SYS_DIR/go; " + write_metric("{\"n\": 1}") + "read < $NNI_SYS_DIR/go; " +
                               write_metric("{\"n\": 2}")));
  EXPECT_EQ(daemon_->wait_for_metric("a").payload, "{\"n\": 1}");
  append_to(directory_of("a") / "go", "\n");
  daemon_->wait_for_exit("a");
  EXPECT_THAT(daemon_->metrics_of("a"), ElementsAre("{\"n\": 1}", "{\"n\": 2}"));
}

TEST_F(TrialsTest, DeliversABurstOfMetricsBeforeTheEnd) {
  daemon_->send(trial("a", "for i in {1000..1999}; do printf 'ME000005%s\\n' $i; done > $NNI_SYS_DIR/.nni/metrics"));
  daemon_->wait_for_exit("a");
  const auto metrics = daemon_->metrics_of("a");
  ASSERT_THAT(metrics, SizeIs(1000));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(metrics[static_cast<std::size_t>(i)], std::to_string(1000 + i));
}

TEST_F(TrialsTest, SkipsDamagedMetrics) {
  daemon_->send(trial("a", "printf junk > $NNI_SYS_DIR/.nni/metrics; " + write_metric("1") +
                               "printf 'ME000900{' >> $NNI_SYS_DIR/.nni/metrics; " + write_metric("2")));
  daemon_->wait_for_exit("a");
  EXPECT_THAT(daemon_->metrics_of("a"), ElementsAre("1", "2"));
}

TEST_F(TrialsTest, FindsMetricsOfAFolderThatTheTrialMadeAnew) {
  daemon_->send(trial("a", "rm -r $NNI_SYS_DIR/.nni; mkdir $NNI_SYS_DIR/.nni; " + write_metric("1")));
  daemon_->wait_for_exit("a");
  EXPECT_THAT(daemon_->metrics_of("a"), ElementsAre("1"));
}

TEST_F(TrialsTest, AnotherAttemptInTheSameFolderStartsClean) {
  daemon_->send(trial("a", write_metric("1") + "echo x; echo y >&2"));
  daemon_->wait_for_exit("a");
  auto again = trial("b", write_metric("2"));
  again.directory = directory_of("a");
  again.environment["NNI_SYS_DIR"] = directory_of("a");
  daemon_->send(again);
  EXPECT_EQ(daemon_->wait_for_exit("b").stderr_tail, "");
  EXPECT_THAT(daemon_->metrics_of("b"), ElementsAre("2"));
  EXPECT_EQ(content_of(directory_of("a") / "stdout"), "");
}

TEST_F(TrialsTest, KillsWhatTheTrialLeavesBehind) {
  daemon_->send(trial("a", "sleep 1000 & echo $! > $NNI_SYS_DIR/pid; exit 0"));
  const auto exited = daemon_->wait_for_exit("a");
  EXPECT_EQ(exited.exit_code, 0);
  EXPECT_EQ(exited.killed_by, "");
  EXPECT_TRUE(is_gone(directory_of("a") / "pid"));
}

TEST_F(TrialsTest, KillEndsTheWholeGroup) {
  daemon_->send(trial("a", "sleep 1000 & echo $! > $NNI_SYS_DIR/pid; " + write_metric("1") + "wait"));
  daemon_->wait_for_metric("a");
  daemon_->send(proto::KillTrial{"a", "user", 60'000});
  const auto exited = daemon_->wait_for_exit("a");
  EXPECT_EQ(exited.signal, SIGTERM);
  EXPECT_EQ(exited.killed_by, "user");
  EXPECT_TRUE(is_gone(directory_of("a") / "pid"));
}

TEST_F(TrialsTest, KillEscalatesWhenTheTrialIgnoresIt) {
  daemon_->send(trial("a", "trap '' TERM; " + write_metric("1") + "while :; do sleep 0.02; done"));
  daemon_->wait_for_metric("a");
  daemon_->send(proto::KillTrial{"a", "stop", 50});
  const auto exited = daemon_->wait_for_exit("a");
  EXPECT_EQ(exited.signal, SIGKILL);
  EXPECT_EQ(exited.killed_by, "stop");
}

TEST_F(TrialsTest, AShorterGraceTimeWins) {
  daemon_->send(trial("a", "trap '' TERM; " + write_metric("1") + "while :; do sleep 0.02; done"));
  daemon_->wait_for_metric("a");
  daemon_->send(proto::KillTrial{"a", "user", 3'600'000});
  daemon_->send(proto::KillTrial{"a", "stop", 10});
  const auto exited = daemon_->wait_for_exit("a");
  EXPECT_EQ(exited.signal, SIGKILL);
  EXPECT_EQ(exited.killed_by, "user");
}

TEST_F(TrialsTest, GraceTimeIsForTheWholeGroup) {
  const std::string child = "bash -c 'trap \"sleep 0.1; echo saved > $NNI_SYS_DIR/saved; exit 0\" TERM; " +
                            std::string("echo > $NNI_SYS_DIR/trapped; while :; do sleep 0.02; done' & ");
  daemon_->send(
      trial("a", child + "until [ -e $NNI_SYS_DIR/trapped ]; do sleep 0.01; done; " + write_metric("1") + "wait"));
  daemon_->wait_for_metric("a");
  daemon_->send(proto::KillTrial{"a", "user", 60'000});
  EXPECT_EQ(daemon_->wait_for_exit("a").signal, SIGTERM);
  EXPECT_EQ(content_of(directory_of("a") / "saved"), "saved\n");
}

TEST_F(TrialsTest, KillOfAStoppedTrialEndsIt) {
  daemon_->send(trial("a", write_metric("1") + "kill -STOP $$; sleep 1000"));
  daemon_->wait_for_metric("a");
  daemon_->send(proto::KillTrial{"a", "user", 60'000});
  EXPECT_EQ(daemon_->wait_for_exit("a").killed_by, "user");
}

TEST_F(TrialsTest, EndsATrialAfterItsDuration) {
  auto start = trial("a", "sleep 1000");
  start.max_duration_s = 1;
  daemon_->send(start);
  const auto exited = daemon_->wait_for_exit("a");
  EXPECT_EQ(exited.killed_by, "duration");
  EXPECT_EQ(exited.signal, SIGTERM);
}

TEST_F(TrialsTest, AnEndlessDurationIsNoDuration) {
  auto start = trial("a", "exit 0");
  start.max_duration_s = INT64_MAX;
  daemon_->send(start);
  EXPECT_EQ(daemon_->wait_for_exit("a").exit_code, 0);
}

TEST_F(TrialsTest, IgnoresKillsOfUnknownTrials) {
  daemon_->send(proto::KillTrial{"nobody", "user", 0});
  daemon_->send(trial("a", "exit 0"));
  EXPECT_EQ(daemon_->wait_for_exit("a").exit_code, 0);
  EXPECT_THAT(daemon_->events, SizeIs(2));
}

TEST_F(TrialsTest, NamesAMissingWorkingDirectory) {
  auto start = trial("a", "true");
  start.working_directory = "/nowhere/at/all";
  daemon_->send(start);
  const auto exited = daemon_->wait_for_exit("a");
  EXPECT_THAT(exited.error, HasSubstr("\"/nowhere/at/all\": No such file or directory"));
  EXPECT_FALSE(exited.exit_code);
  EXPECT_THAT(daemon_->events, SizeIs(1));
  start.trial_id = "b";
  start.working_directory = "/etc/passwd";
  daemon_->send(start);
  EXPECT_THAT(daemon_->wait_for_exit("b").error, HasSubstr("Not a directory"));
}

TEST_F(TrialsTest, NamesADirectoryThatCannotBeMade) {
  auto start = trial("a", "true");
  start.directory = "/proc/nope";
  daemon_->send(start);
  EXPECT_THAT(daemon_->wait_for_exit("a").error, HasSubstr("/proc/nope"));
  start.trial_id = "b";
  start.directory = "relative";
  daemon_->send(start);
  EXPECT_THAT(daemon_->wait_for_exit("b").error, HasSubstr("not an absolute path"));
}

TEST_F(TrialsTest, ReportsACommandTooLongToRun) {
  daemon_->send(trial("a", "true " + std::string(300'000, 'x')));
  const auto exited = daemon_->wait_for_exit("a");
  EXPECT_THAT(exited.error, HasSubstr("Argument list too long"));
  EXPECT_FALSE(exited.exit_code);
}

TEST_F(TrialsTest, StartingAKnownTrialIsIgnored) {
  const auto start = trial("a", "mkfifo $NNI_SYS_DIR/go; " + write_metric("1") + "read < $NNI_SYS_DIR/go");
  daemon_->send(start);
  daemon_->wait_for_metric("a");
  daemon_->send(start);
  append_to(directory_of("a") / "go", "\n");
  daemon_->wait_for_exit("a");
  daemon_->send(start);
  daemon_->send(trial("b", "true"));
  daemon_->wait_for_exit("b");
  EXPECT_THAT(daemon_->events, SizeIs(5));
}

TEST_F(TrialsTest, AnUnknownLauncherFailsTheStart) {
  auto start = trial("a", "true");
  start.launcher = {{"kind", "carrier pigeon"}};
  daemon_->send(start);
  EXPECT_THAT(daemon_->wait_for_exit("a").error,
              HasSubstr("kind \"carrier pigeon\" is unknown; this agent has: pai, process"));
  start = trial("b", "true");
  start.launcher = {{"kind", 3}};
  daemon_->send(start);
  EXPECT_THAT(daemon_->wait_for_exit("b").error, HasSubstr("launcher: expected null or an object with a \"kind\""));
  start = trial("c", "true");
  start.launcher = {{"kind", "process"}};
  daemon_->send(start);
  EXPECT_EQ(daemon_->wait_for_exit("c").exit_code, 0);
}

TEST_F(TrialsTest, ManyAtOnceEachEndOnce) {
  constexpr int count = 100;
  for (int i = 0; i < count; ++i) daemon_->send(trial("t" + std::to_string(i), "exit " + std::to_string(i)));
  int exits = 0;
  while (exits < count) {
    const auto event = daemon_->next();
    ASSERT_TRUE(event);
    if (const auto* exited = std::get_if<proto::TrialExited>(&event->event)) {
      ++exits;
      EXPECT_EQ("t" + std::to_string(exited->exit_code.value_or(-1)), exited->trial_id);
    }
  }
  EXPECT_THAT(daemon_->events, SizeIs(2 * count));
}

}  // namespace
}  // namespace lathe::agent
