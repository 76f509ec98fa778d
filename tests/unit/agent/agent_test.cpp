// The agent as a process: connections, the spool across them, crashes and ends.

#include <signal.h>

#include <gmock/gmock.h>

#include <cerrno>

#include "agent_fixture.hpp"
#include "files.hpp"

namespace lathe::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::uint64_t> sequences(const FakeDaemon& daemon) {
  std::vector<std::uint64_t> numbers;
  for (const auto& event : daemon.events) numbers.push_back(event.sequence);
  return numbers;
}

TEST_F(AgentTest, GreetsWithWhatItKnows) {
  const auto daemon = start_agent();
  EXPECT_EQ(daemon->hello().protocol, proto::frame_protocol_version);
  EXPECT_EQ(daemon->hello().version, LATHE_VERSION);
  EXPECT_THAT(daemon->hello().state_id, SizeIs(32));
  EXPECT_EQ(daemon->hello().last_sequence, 0u);
  EXPECT_THAT(daemon->hello().running, IsEmpty());
}

TEST_F(AgentTest, RepeatsWhatIsNotAcknowledgedToTheNextConnection) {
  auto daemon = start_agent();
  daemon->send(trial("a", write_metric("1")));
  daemon->wait_for_exit("a");
  daemon->send(proto::Ack{1});
  daemon = std::make_unique<FakeDaemon>(state_);
  EXPECT_EQ(daemon->hello().last_sequence, 3u);
  daemon->wait_for_exit("a");
  daemon->send(trial("b", "true"));
  daemon->wait_for_exit("b");
  EXPECT_THAT(sequences(*daemon), ElementsAre(2, 3, 4, 5));
}

TEST_F(AgentTest, ForgetsWhatIsAcknowledged) {
  auto daemon = start_agent();
  daemon->send(trial("a", "true"));
  daemon->wait_for_exit("a");
  daemon->send(proto::Ack{2});
  daemon->send(trial("b", "true"));
  daemon->wait_for_exit("b");
  daemon = std::make_unique<FakeDaemon>(state_);
  daemon->wait_for_exit("b");
  EXPECT_THAT(sequences(*daemon), ElementsAre(3, 4));
}

TEST_F(AgentTest, ANewConnectionReplacesTheOldOne) {
  const auto first = start_agent();
  const FakeDaemon second(state_);
  EXPECT_FALSE(first->next());
}

TEST_F(AgentTest, TrialsOutliveTheConnection) {
  auto daemon = start_agent();
  daemon->send(trial("a", "mkfifo $NNI_SYS_DIR/go; " + write_metric("1") + "read < $NNI_SYS_DIR/go; exit 5"));
  daemon->wait_for_metric("a");
  daemon = std::make_unique<FakeDaemon>(state_);
  EXPECT_THAT(daemon->hello().running, ElementsAre("a"));
  append_to(directory_of("a") / "go", "\n");
  EXPECT_EQ(daemon->wait_for_exit("a").exit_code, 5);
}

/// Else a daemon would start it again, and its Ack of the end might come first.
TEST_F(AgentTest, ATrialIsKnownUntilItsEndIsAcknowledged) {
  auto daemon = start_agent();
  daemon->send(trial("a", "exit 5"));
  daemon->wait_for_exit("a");
  daemon = std::make_unique<FakeDaemon>(state_);
  EXPECT_THAT(daemon->hello().running, ElementsAre("a"));
  daemon->wait_for_exit("a");
  daemon->send(proto::Ack{daemon->events.back().sequence});
  daemon->send(trial("b", "true"));
  daemon->wait_for_exit("b");
  daemon = std::make_unique<FakeDaemon>(state_);
  EXPECT_THAT(daemon->hello().running, ElementsAre("b"));
}

TEST_F(AgentTest, ABadFrameEndsTheConnectionNotTheAgent) {
  auto daemon = start_agent();
  for (const std::string& bytes : {std::string("\xff\xff\xff\xff"), proto::frame_json("{\"type\":\"dance\"}"),
                                   proto::frame_json("not JSON"), proto::frame_json("{\"type\":\"start_trial\"}")}) {
    daemon->send_bytes(bytes);
    EXPECT_FALSE(daemon->next());
    daemon = std::make_unique<FakeDaemon>(state_);
  }
  EXPECT_THAT(content_of(state_ / "agent.log"), HasSubstr("trial_id: is missing"));
}

TEST_F(AgentTest, ASecondAgentOnAFolderIsRefused) {
  const auto daemon = start_agent();
  EXPECT_EQ(run_agent(), 3);
  EXPECT_EQ(run_agent({"--foreground"}), 3);
  EXPECT_EQ(FakeDaemon(state_).hello().state_id, daemon->hello().state_id);
}

TEST_F(AgentTest, BadUsageHasACodeOfItsOwn) {
  EXPECT_EQ(run_agent({"--idle-exit", "0"}), 2);
  EXPECT_EQ(run_agent({"--no-such-option"}), 2);
  EXPECT_EQ(run_agent({"--version"}), 0);
}

TEST_F(AgentTest, AFolderThatCannotBeUsedIsAnError) {
  state_ = "/proc/nowhere";
  EXPECT_EQ(run_agent(), 1);
  state_ = "/etc/passwd";
  EXPECT_EQ(run_agent(), 1);
}

TEST_F(AgentTest, LongStatePathsWork) {
  state_ = folder_.path() / std::string(100, 'a') / std::string(100, 'b');
  const auto daemon = start_agent();
  daemon->send(trial("a", "true"));
  EXPECT_EQ(daemon->wait_for_exit("a").exit_code, 0);
}

TEST_F(AgentTest, ShutdownEndsTrialsAndAgent) {
  const auto daemon = start_agent();
  daemon->send(trial("a", "sleep 1000"));
  daemon->send(trial("b", "trap '' TERM; " + write_metric("1") + "while :; do sleep 0.02; done"));
  daemon->wait_for_metric("b");
  daemon->send(proto::Shutdown{"requeue", 50});
  daemon->wait_for_exit("b");
  daemon->send(proto::Ack{daemon->events.back().sequence});
  daemon->wait_for_close();
  EXPECT_EQ(wait_for_agent(), 0);
  ASSERT_THAT(daemon->events, SizeIs(5));
  for (const auto& event : daemon->events) {
    const auto* exited = std::get_if<proto::TrialExited>(&event.event);
    EXPECT_TRUE(exited == nullptr || exited->killed_by == "requeue");
  }
  EXPECT_FALSE(std::filesystem::exists(state_ / "socket"));
}

TEST_F(AgentTest, TerminationPutsTrialsBack) {
  const auto daemon = start_agent();
  daemon->send(trial("a", write_metric("1") + "sleep 1000"));
  daemon->wait_for_metric("a");
  ::kill(agent_, SIGTERM);
  EXPECT_EQ(daemon->wait_for_exit("a").killed_by, "requeue");
  daemon->send(proto::Ack{3});
  EXPECT_EQ(wait_for_agent(), 0);
}

TEST_F(AgentTest, LeavesByItselfWhenNobodyNeedsIt) {
  auto daemon = start_agent({"--idle-exit", "1"});
  const std::string state_id = daemon->hello().state_id;
  daemon->send(trial("a", "mkfifo $NNI_SYS_DIR/go; " + write_metric("1") + "read < $NNI_SYS_DIR/go; exit 4"));
  daemon->wait_for_metric("a");
  daemon.reset();
  append_to(directory_of("a") / "go", "\n");
  EXPECT_EQ(wait_for_agent(), 0);
  daemon = start_agent();
  EXPECT_EQ(daemon->hello().state_id, state_id);
  EXPECT_EQ(daemon->wait_for_exit("a").exit_code, 4);
  EXPECT_THAT(sequences(*daemon), ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace lathe::agent
