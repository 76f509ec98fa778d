// Agents that are killed, and what the next one in the folder makes of the trials that run on.

#include <signal.h>
#include <sys/wait.h>

#include <gmock/gmock.h>

#include <random>

#include "agent_fixture.hpp"
#include "files.hpp"
#include "process_stat.hpp"
#include "spool.hpp"

namespace lathe::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A trial that reports 1, waits for a line in its pipe `go`, reports 2 and exits with the line's number.
std::string two_steps() {
  return "mkfifo $NNI_SYS_DIR/go; " + write_metric("1") + "read line < $NNI_SYS_DIR/go; " + write_metric("2") +
         "exit $line";
}

class AdoptionTest : public AgentTest {
 protected:
  void let_go(const std::string& id, const std::string& line = "7\n") const {
    append_to(directory_of(id) / "go", line);
  }

  [[nodiscard]] static pid_t command_of(const FakeDaemon& daemon) {
    return static_cast<pid_t>(std::get<proto::TrialStarted>(daemon.events.at(0).event).pid);
  }
  [[nodiscard]] static pid_t keeper_of(pid_t command) {
    return static_cast<pid_t>(read_process_stat(command).value().session);
  }
  /// Exit records that are left when the agent has done with what it has told.
  [[nodiscard]] std::size_t records() const {
    const FakeDaemon greeted_in_a_later_turn_of_its_loop(state_);
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(state_ / "exits"), {}));
  }
  /// Waits for the end of a process that is, or has become, a child of this one.
  static void wait_until_gone(pid_t pid) {
    while (identify(pid)) ::waitpid(pid, nullptr, 0);
  }
  static std::vector<std::uint64_t> sequences(const FakeDaemon& daemon) {
    std::vector<std::uint64_t> numbers;
    for (const auto& event : daemon.events) numbers.push_back(event.sequence);
    return numbers;
  }
  /// A new agent and a connection to it, after a kill of the old one.
  std::unique_ptr<FakeDaemon> next_agent() {
    kill_agent();
    return start_agent();
  }
};

TEST_F(AdoptionTest, ARunningTrialGoesOnAndItsEndIsTold) {
  auto daemon = start_agent();
  daemon->send(trial("a", two_steps()));
  daemon->wait_for_metric("a");
  daemon = next_agent();
  EXPECT_THAT(daemon->hello().running, ElementsAre("a"));
  let_go("a");
  const auto exited = daemon->wait_for_exit("a");
  EXPECT_EQ(exited.exit_code, 7);
  EXPECT_FALSE(exited.lost);
  EXPECT_THAT(daemon->metrics_of("a"), ElementsAre("1", "2"));
  EXPECT_THAT(sequences(*daemon), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(records(), 0u);
}

TEST_F(AdoptionTest, ATrialThatEndedWithoutAnAgentHasItsTrueEnd) {
  auto daemon = start_agent();
  daemon->send(trial("a", two_steps()));
  daemon->wait_for_metric("a");
  const pid_t keeper = keeper_of(command_of(*daemon));
  kill_agent();
  let_go("a", "9\n");
  wait_until_gone(keeper);
  daemon = start_agent();
  EXPECT_EQ(daemon->wait_for_exit("a").exit_code, 9);
  EXPECT_THAT(daemon->metrics_of("a"), ElementsAre("1", "2"));
}

TEST_F(AdoptionTest, ManyAgentsDieUnderOneTrial) {
  auto daemon = start_agent();
  daemon->send(trial("a", two_steps()));
  daemon->wait_for_metric("a");
  const pid_t command = command_of(*daemon);
  for (int i = 0; i < 4; ++i) daemon = next_agent();
  EXPECT_THAT(daemon->hello().running, ElementsAre("a"));
  EXPECT_TRUE(identify(command));
  let_go("a");
  EXPECT_EQ(daemon->wait_for_exit("a").exit_code, 7);
  EXPECT_THAT(daemon->metrics_of("a"), ElementsAre("1", "2"));
}

TEST_F(AdoptionTest, AnAdoptedTrialIsNotStartedAgain) {
  auto daemon = start_agent();
  daemon->send(trial("a", two_steps()));
  daemon->wait_for_metric("a");
  daemon = next_agent();
  daemon->send(trial("a", two_steps()));
  let_go("a");
  daemon->wait_for_exit("a");
  EXPECT_THAT(daemon->metrics_of("a"), ElementsAre("1", "2"));
}

TEST_F(AdoptionTest, AKillReachesAnAdoptedTrial) {
  auto daemon = start_agent();
  daemon->send(trial("a", "sleep 1000 & echo $! > $NNI_SYS_DIR/child; " + write_metric("1") + "wait"));
  daemon->wait_for_metric("a");
  daemon = next_agent();
  daemon->send(proto::KillTrial{"a", "user", 60'000});
  const auto exited = daemon->wait_for_exit("a");
  EXPECT_EQ(exited.signal, SIGTERM);
  EXPECT_EQ(exited.killed_by, "user");
  EXPECT_FALSE(identify(std::stoi(content_of(directory_of("a") / "child"))));
}

TEST_F(AdoptionTest, AKillGoesOnUnderTheNextAgent) {
  auto daemon = start_agent();
  daemon->send(
      trial("a", "trap 'echo > $NNI_SYS_DIR/termed' TERM; " + write_metric("1") + "while :; do sleep 0.02; done"));
  daemon->wait_for_metric("a");
  daemon->send(proto::KillTrial{"a", "user", 1'000});
  while (!std::filesystem::exists(directory_of("a") / "termed")) ::sched_yield();
  daemon = next_agent();
  const auto exited = daemon->wait_for_exit("a");
  EXPECT_EQ(exited.signal, SIGKILL);
  EXPECT_EQ(exited.killed_by, "user");
}

TEST_F(AdoptionTest, TheDurationCountsFromTheStartAcrossAgents) {
  auto daemon = start_agent();
  auto start = trial("a", write_metric("1") + "sleep 1000");
  start.max_duration_s = 1;
  daemon->send(start);
  daemon->wait_for_metric("a");
  daemon = next_agent();
  const auto exited = daemon->wait_for_exit("a");
  EXPECT_EQ(exited.killed_by, "duration");
  const auto& started = std::get<proto::TrialStarted>(daemon->events.at(0).event);
  EXPECT_GE(exited.time_ms - started.time_ms, 1'000);
}

TEST_F(AdoptionTest, ATrialWhoseKeeperIsKilledIsEndedAndLost) {
  const auto daemon = start_agent();
  daemon->send(trial("a", "sleep 1000 & echo $! > $NNI_SYS_DIR/child; " + write_metric("1") + "wait"));
  daemon->wait_for_metric("a");
  const pid_t command = command_of(*daemon);
  ::kill(keeper_of(command), SIGKILL);
  const auto exited = daemon->wait_for_exit("a");
  EXPECT_TRUE(exited.lost);
  EXPECT_THAT(exited.error, HasSubstr("keeper was killed"));
  EXPECT_FALSE(identify(command));
  EXPECT_FALSE(identify(std::stoi(content_of(directory_of("a") / "child"))));
  EXPECT_EQ(records(), 0u);
}

TEST_F(AdoptionTest, SoIsOneWhoseKeeperWasKilledWithTheAgent) {
  auto daemon = start_agent();
  daemon->send(trial("a", "echo working >&2; " + write_metric("1") + "sleep 1000 & wait"));
  daemon->wait_for_metric("a");
  const pid_t command = command_of(*daemon);
  ::kill(keeper_of(command), SIGKILL);
  kill_agent();
  daemon = start_agent();
  const auto exited = daemon->wait_for_exit("a");
  EXPECT_TRUE(exited.lost);
  EXPECT_EQ(exited.stderr_tail, "working\n");
  EXPECT_THAT(daemon->metrics_of("a"), ElementsAre("1"));
  EXPECT_FALSE(identify(command));
}

TEST_F(AdoptionTest, ALossIsReportedOnce) {
  auto daemon = start_agent();
  daemon->send(trial("a", write_metric("1") + "sleep 1000"));
  daemon->wait_for_metric("a");
  ::kill(keeper_of(command_of(*daemon)), SIGKILL);
  daemon->wait_for_exit("a");
  daemon = next_agent();
  EXPECT_TRUE(daemon->wait_for_exit("a").lost);
  EXPECT_THAT(sequences(*daemon), ElementsAre(1, 2, 3));
}

TEST_F(AdoptionTest, ARebootLosesATrialAndHarmsNobody) {
  auto daemon = start_agent();
  const std::string state_id = daemon->hello().state_id;
  kill_agent();
  {
    // The process ids of the journal now belong to this test.
    Spool spool = Spool::open(state_ / "spool").value();
    RunningTrial running;
    running.trial_id = "a";
    running.launcher = "process";
    running.job = {{"keeper", ::getpid()},
                   {"start_ticks", identify(::getpid())->start_ticks},
                   {"boot_id", "another boot"},
                   {"command", ::getpid()},
                   {"exit_record", "none"}};
    running.directory = directory_of("a");
    ASSERT_TRUE(spool.start(running, proto::TrialStarted{"a", ::getpid(), 1}));
  }
  daemon = start_agent();
  const auto exited = daemon->wait_for_exit("a");
  EXPECT_TRUE(exited.lost);
  EXPECT_THAT(exited.error, HasSubstr("rebooted"));
}

TEST_F(AdoptionTest, ADamagedRecordIsALoss) {
  start_agent().reset();
  kill_agent();
  {
    Spool spool = Spool::open(state_ / "spool").value();
    RunningTrial running;
    running.directory = directory_of("a");
    running.trial_id = "a";
    running.launcher = "process";
    running.job = {{"keeper", "x"}, {"exit_record", 3}};
    ASSERT_TRUE(spool.start(running, std::nullopt));
    running.trial_id = "b";
    running.launcher = "no such launcher";
    ASSERT_TRUE(spool.start(running, std::nullopt));
  }
  const auto daemon = start_agent();
  EXPECT_TRUE(daemon->wait_for_exit("a").lost);
  const auto exited = daemon->wait_for_exit("b");
  EXPECT_TRUE(exited.lost);
  EXPECT_THAT(exited.error, HasSubstr("no such launcher"));
}

/// Trials run, end and are killed while agents die at arbitrary moments; the daemon repeats what it must. Whatever the
/// moment: every trial ends once, with its true end, and every metric comes once.
TEST_F(AdoptionTest, AgentsKilledAnywhereLoseNothing) {
  constexpr int rounds = 12;
  constexpr int trials = 4;
  std::mt19937 random(20221);
  auto daemon = start_agent();
  for (int round = 0; round < rounds; ++round) {
    const std::string prefix = "r" + std::to_string(round) + "t";
    std::vector<proto::StartTrial> starts;
    for (int i = 0; i < trials; ++i) {
      starts.push_back(trial(prefix + std::to_string(i), write_metric(std::to_string(10 * i)) +
                                                             write_metric(std::to_string(10 * i + 1)) + "exit " +
                                                             std::to_string(i)));
    }
    for (const auto& start : starts) daemon->send(start);
    // So many steps of this loop later the agent dies, wherever it is then.
    const auto turns = random() % 3000;
    for (unsigned turn = 0; turn < turns; ++turn) ::sched_yield();
    daemon = next_agent();
    for (const auto& start : starts) daemon->send(start);
    for (int i = 0; i < trials; ++i) {
      const std::string id = prefix + std::to_string(i);
      const auto ends = [&] {
        std::vector<proto::TrialExited> found;
        for (const auto& event : daemon->events) {
          const auto* exited = std::get_if<proto::TrialExited>(&event.event);
          if (exited != nullptr && exited->trial_id == id) found.push_back(*exited);
        }
        return found;
      };
      while (ends().empty()) ASSERT_TRUE(daemon->next());
      ASSERT_EQ(ends().size(), 1u) << id;
      const auto exited = ends().front();
      // Killed between journal and gate, a trial never ran; it is told so.
      if (exited.lost) {
        EXPECT_THAT(exited.error, HasSubstr("before it let the trial go"));
        EXPECT_THAT(daemon->metrics_of(id), IsEmpty());
        continue;
      }
      EXPECT_EQ(exited.exit_code, i) << id;
      EXPECT_THAT(daemon->metrics_of(id), ElementsAre(std::to_string(10 * i), std::to_string(10 * i + 1)));
    }
    daemon->send(proto::Ack{daemon->events.back().sequence});
  }
  EXPECT_EQ(records(), 0u);
}

}  // namespace
}  // namespace lathe::agent
