// What becomes of trials when a warm parent is slow, mute or dead. The parents here are shell commands; a real one is
// in the tests of lathe-trial.

#include <signal.h>
#include <sys/wait.h>

#include <gmock/gmock.h>

#include <algorithm>

#include <lathe/proto/warm_start.hpp>

#include "agent_fixture.hpp"
#include "files.hpp"

namespace lathe::agent {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::Not;

class WarmStartTest : public AgentTest {
 protected:
  /// A trial that may be forked from what the shell command starts.
  [[nodiscard]] proto::StartTrial warm_trial(const std::string& id, const std::string& parent,
                                             const std::string& command = "true") const {
    auto start = trial(id, "cd " + folder_.path().string() + "; " + command);
    start.environment[std::string(proto::warm_parent_variable)] = "cd " + folder_.path().string() + "; " + parent;
    return start;
  }
  /// Runs one trial that ends when the parent has written `ready`.
  void start_parent(const std::string& parent) {
    daemon_->send(warm_trial("first", parent, wait_for_ready));
    ASSERT_EQ(daemon_->wait_for_exit("first").exit_code, 0);
  }
  [[nodiscard]] std::string log() const { return content_of(state_ / "agent.log"); }

  const std::string wait_for_ready = "while [ ! -e ready ]; do sleep 0.01; done";
  std::unique_ptr<FakeDaemon> daemon_ = start_agent();
};

TEST_F(WarmStartTest, StartsTrialsFreshWhileTheParentIsNotReady) {
  const std::string parent = "touch ready; exec sleep 1000";
  start_parent(parent);
  daemon_->send(warm_trial("second", parent, "echo \"fresh ${LATHE_WARM_PARENT-unset}\""));
  EXPECT_EQ(daemon_->wait_for_exit("second").exit_code, 0);
  EXPECT_EQ(content_of(directory_of("second") / "stdout"), "fresh unset\n");
}

TEST_F(WarmStartTest, GivesUpOnAParentThatAlwaysDies) {
  for (const std::string id : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    daemon_->send(warm_trial(id, "echo run >> runs; exit 3", "while [ ! -e runs ]; do sleep 0.01; done; sleep 0.05"));
    EXPECT_EQ(daemon_->wait_for_exit(id).exit_code, 0);
  }
  const std::string runs = content_of(folder_.path() / "runs");
  EXPECT_THAT(std::count(runs.begin(), runs.end(), '\n'), AllOf(Ge(1), Le(3)));
  EXPECT_THAT(log(), HasSubstr("has ended: exit code 3"));
}

TEST_F(WarmStartTest, WaitsForAMuteParentOnlySoLong) {
  const std::string parent = "printf R >&0; echo $$ > pid; touch ready; exec sleep 1000";
  start_parent(parent);
  const std::string pid = content_of(folder_.path() / "pid");
  daemon_->send(warm_trial("second", parent, "echo fresh"));
  EXPECT_EQ(daemon_->wait_for_exit("second").exit_code, 0);
  EXPECT_EQ(content_of(directory_of("second") / "stdout"), "fresh\n");
  EXPECT_THAT(log(), HasSubstr("trial second is started fresh: warm parent " + pid.substr(0, pid.size() - 1) +
                               ": no answer in 2000 ms"));
}

TEST_F(WarmStartTest, StartsATrialFreshWhoseParentDiesOnTheRequest) {
  const std::string parent = "printf R >&0; touch ready; read -r -N 1 request; kill -9 $$";
  start_parent(parent);
  daemon_->send(warm_trial("second", parent, "echo fresh"));
  EXPECT_EQ(daemon_->wait_for_exit("second").exit_code, 0);
  EXPECT_EQ(content_of(directory_of("second") / "stdout"), "fresh\n");
  EXPECT_THAT(log(), HasSubstr("trial second is started fresh"));
}

TEST_F(WarmStartTest, TakesNoOtherWordForReadiness) {
  const std::string parent = "printf X >&0; touch ready; exec sleep 1000";
  start_parent(parent);
  daemon_->send(warm_trial("second", parent, "echo fresh"));
  EXPECT_EQ(daemon_->wait_for_exit("second").exit_code, 0);
  EXPECT_THAT(log(), Not(HasSubstr("trial second is started fresh"))) << "it was never asked";
}

TEST_F(WarmStartTest, AKilledAgentTakesItsParentsAlong) {
  start_parent("echo $$ > pid; touch ready; exec sleep 1000");
  kill_agent();
  int status = 0;
  const pid_t parent = std::stoi(content_of(folder_.path() / "pid"));
  ASSERT_EQ(::waitpid(parent, &status, 0), parent);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST_F(WarmStartTest, AnAgentThatEndsTakesItsParentsAlong) {
  start_parent("echo $$ > pid; touch ready; exec sleep 1000");
  ::kill(agent_, SIGTERM);
  EXPECT_EQ(wait_for_agent(), 0);
  const pid_t parent = std::stoi(content_of(folder_.path() / "pid"));
  ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
}

}  // namespace
}  // namespace lathe::agent
