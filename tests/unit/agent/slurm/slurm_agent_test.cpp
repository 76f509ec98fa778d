// A whole agent whose trials are Slurm jobs.

#include <gmock/gmock.h>

#include "agent_fixture.hpp"
#include "files.hpp"
#include "slurm/fake_slurm.hpp"

namespace lathe::agent {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

class SlurmAgentTest : public AgentTest {
 protected:
  [[nodiscard]] proto::StartTrial job(const std::string& id, const std::string& command) const {
    auto start = trial(id, command);
    start.launcher = {{"kind", "slurm"}};
    return start;
  }
  void wait_for_job() const {
    while (slurm_.jobs().empty()) ::sched_yield();
  }

  static std::vector<std::int64_t> pids_of_starts(const FakeDaemon& daemon) {
    std::vector<std::int64_t> pids;
    for (const auto& event : daemon.events) {
      if (const auto* started = std::get_if<proto::TrialStarted>(&event.event)) pids.push_back(started->pid);
    }
    return pids;
  }

  FakeSlurm slurm_;
};

TEST_F(SlurmAgentTest, TellsWhyAJobWaitsThenItsMetricsAndItsEnd) {
  const auto daemon = start_agent();
  daemon->send(job("x/1/0", write_metric("1") + write_metric("2") + "echo oops >&2; exit 3"));
  wait_for_job();
  while (slurm_.calls("squeue").empty()) ::sched_yield();
  slurm_.run("1");
  const auto exited = daemon->wait_for_exit("x/1/0");
  EXPECT_EQ(exited.exit_code, 3);
  EXPECT_THAT(daemon->metrics_of("x/1/0"), ElementsAre("1", "2"));
  EXPECT_THAT(daemon->notes, Contains(Field(&proto::TrialNote::text, HasSubstr("job 1: PENDING: Priority"))));
  EXPECT_THAT(pids_of_starts(*daemon), ElementsAre(1));
}

TEST_F(SlurmAgentTest, AKilledAgentsJobGoesOn) {
  auto daemon = start_agent();
  daemon->send(job("x/1/0", write_metric("1") + "exit 4"));
  wait_for_job();
  kill_agent();
  slurm_.run("1");
  daemon = start_agent();
  EXPECT_THAT(daemon->hello().running, ElementsAre("x/1/0"));
  EXPECT_EQ(daemon->wait_for_exit("x/1/0").exit_code, 4);
  EXPECT_THAT(daemon->metrics_of("x/1/0"), ElementsAre("1"));
}

TEST_F(SlurmAgentTest, AKillIsToldAsOne) {
  const auto daemon = start_agent();
  daemon->send(job("x/1/0", "true"));
  wait_for_job();
  daemon->send(proto::KillTrial{"x/1/0", "user", 5'000});
  const auto exited = daemon->wait_for_exit("x/1/0");
  EXPECT_EQ(exited.killed_by, "user");
  EXPECT_EQ(slurm_.state_of("1"), "CANCELLED");
}

}  // namespace
}  // namespace lathe::agent
