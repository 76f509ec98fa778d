#include <sys/socket.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/write.hpp>

#include "../loop.hpp"
#include "../temp_folder.hpp"
#include "hosts/ack_tracker.hpp"
#include "hosts/agent_link.hpp"
#include "hosts/local_agent.hpp"

namespace lathe::manager {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;

// ---- acknowledgements ----

TEST(AckTracker, CoversOnlyWhatIsCommittedWithoutAGap) {
  AckTracker acks;
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(acks.receive(i));
  acks.commit(2);
  EXPECT_FALSE(acks.take_ack());
  acks.commit(1);
  EXPECT_EQ(acks.take_ack(), 2u);
  EXPECT_FALSE(acks.take_ack()) << "nothing new";
  acks.commit(3);
  EXPECT_EQ(acks.take_ack(), 3u);
}

TEST(AckTracker, DropsARepeatThatIsStillBeingCommitted) {
  AckTracker acks;
  EXPECT_TRUE(acks.receive(5));
  EXPECT_FALSE(acks.receive(5));
  acks.commit(5);
  EXPECT_EQ(acks.take_ack(), 5u);
}

TEST(AckTracker, AcknowledgesAgainWhatTheAgentDidNotHear) {
  AckTracker acks;
  EXPECT_TRUE(acks.receive(8));
  acks.commit(8);
  EXPECT_EQ(acks.take_ack(), 8u);
  EXPECT_TRUE(acks.receive(8));
  acks.commit(8);
  EXPECT_EQ(acks.take_ack(), 8u);
}

// ---- the link ----

/// The agent's end of the connection, by hand.
class Peer {
 public:
  explicit Peer(AgentLink::Socket socket) : socket_(std::move(socket)) { socket_.non_blocking(true); }

  void send(const proto::FromAgent& message) { asio::write(socket_, asio::buffer(proto::encode_frame(message))); }
  void send_bytes(const std::string& bytes) { asio::write(socket_, asio::buffer(bytes)); }
  void close() { socket_.close(); }

  std::optional<proto::ToAgent> receive() {
    std::array<char, 4096> buffer;
    boost::system::error_code error;
    const std::size_t size = socket_.read_some(asio::buffer(buffer), error);
    if (!error) frames_.feed({buffer.data(), size});
    const auto frame = frames_.next();
    if (!frame || !*frame) return std::nullopt;
    auto message = proto::decode_to_agent(**frame);
    return message ? std::optional(*message) : std::nullopt;
  }

 private:
  AgentLink::Socket socket_;
  proto::FrameReader frames_;
};

class AgentLinkTest : public ::testing::Test {
 protected:
  AgentLinkTest() : link_(loop_.context.get_executor(), connector(), options()) {}

  static AgentLink::Options options() {
    AgentLink::Options options;
    options.first_pause = std::chrono::milliseconds(1);
    options.greeting_timeout = std::chrono::milliseconds(100);
    return options;
  }

  AgentLink::Connector connector() {
    return [this] { return connect(this); };
  }

  static asio::awaitable<proto::Result<AgentLink::Socket>> connect(AgentLinkTest* test) {
    if (test->refusals_ > 0) {
      --test->refusals_;
      co_return proto::fail("nobody there");
    }
    AgentLink::Socket ours(test->loop_.context);
    AgentLink::Socket theirs(test->loop_.context);
    asio::local::connect_pair(ours, theirs);
    test->peers_.push_back(std::make_unique<Peer>(std::move(theirs)));
    co_return ours;
  }

  void open() {
    link_.open({
        [this](const proto::Hello& hello) { heard_.push_back("hello " + hello.state_id); },
        [this](proto::SequencedEvent event) { heard_.push_back("event " + std::to_string(event.sequence)); },
        [this](const proto::HostReport& report) { heard_.push_back("load " + std::to_string(report.cores)); },
        [this](const std::string& why) { heard_.push_back("lost " + why); },
        {},
        [this](const proto::TrialNote& note) { heard_.push_back("note " + note.text); },
    });
  }

  bool until_heard(std::size_t count) {
    return loop_.until([&] { return heard_.size() >= count; });
  }

  Peer& peer(std::size_t number) {
    EXPECT_TRUE(loop_.until([&] { return peers_.size() > number; }));
    return *peers_.at(number);
  }

  static proto::Hello hello() {
    proto::Hello hello;
    hello.state_id = "s1";
    return hello;
  }

  Loop loop_;
  int refusals_ = 0;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<std::string> heard_;
  AgentLink link_;
};

TEST_F(AgentLinkTest, GreetsThenTellsEventsInOrder) {
  open();
  peer(0).send(hello());
  peer(0).send(proto::SequencedEvent{1, proto::TrialStarted{"e/t/0", 5, 6}});
  peer(0).send(proto::SequencedEvent{2, proto::TrialExited{"e/t/0", 0, {}, "", false, "", "", 7}});
  proto::HostReport report;
  report.cores = 8;
  peer(0).send(report);
  peer(0).send(proto::TrialNote{"e/u/0", "its job is PENDING"});
  ASSERT_TRUE(until_heard(5));
  EXPECT_EQ(heard_, (std::vector<std::string>{"hello s1", "event 1", "event 2", "load 8", "note its job is PENDING"}));
  EXPECT_TRUE(link_.connected());
}

TEST_F(AgentLinkTest, SendsWhatItIsGivenInOrder) {
  open();
  link_.send(proto::Ack{1});
  peer(0).send(hello());
  ASSERT_TRUE(until_heard(1));
  for (std::uint64_t i = 2; i <= 4; ++i) link_.send(proto::Ack{i});
  std::vector<std::uint64_t> received;
  ASSERT_TRUE(loop_.until([&] {
    while (const auto message = peer(0).receive()) received.push_back(std::get<proto::Ack>(*message).sequence);
    return received.size() >= 3;
  }));
  EXPECT_EQ(received, (std::vector<std::uint64_t>{2, 3, 4})) << "what was sent before the greeting is dropped";
}

TEST_F(AgentLinkTest, ReconnectsAfterRefusalsAndBrokenConnections) {
  refusals_ = 2;
  open();
  peer(0).send(hello());
  ASSERT_TRUE(until_heard(3));
  peer(0).close();
  peer(1).send(hello());
  ASSERT_TRUE(until_heard(5));
  EXPECT_EQ(heard_, (std::vector<std::string>{"lost nobody there", "lost nobody there", "hello s1",
                                              "lost the agent closed the connection", "hello s1"}));
}

TEST_F(AgentLinkTest, HangsUpOnNonsense) {
  open();
  peer(0).send_bytes(std::string(4, '\xff'));
  ASSERT_TRUE(until_heard(1));
  EXPECT_THAT(heard_[0], HasSubstr("bad frame"));
}

TEST_F(AgentLinkTest, HangsUpOnAnEventBeforeTheGreeting) {
  open();
  peer(0).send(proto::SequencedEvent{1, proto::TrialStarted{"e/t/0", 5, 6}});
  ASSERT_TRUE(until_heard(1));
  EXPECT_THAT(heard_[0], HasSubstr("before Hello"));
}

TEST_F(AgentLinkTest, HangsUpOnAnotherProtocol) {
  open();
  proto::Hello foreign = hello();
  foreign.protocol = 99;
  peer(0).send(foreign);
  ASSERT_TRUE(until_heard(1));
  EXPECT_THAT(heard_[0], HasSubstr("protocol 99"));
}

TEST_F(AgentLinkTest, DoesNotWaitForeverForAGreeting) {
  open();
  peer(0);
  ASSERT_TRUE(until_heard(1));
  EXPECT_THAT(heard_[0], HasSubstr("did not greet in time"));
}

TEST_F(AgentLinkTest, IsSilentAfterClose) {
  open();
  peer(0).send(hello());
  ASSERT_TRUE(until_heard(1));
  loop_.run(link_.close());
  EXPECT_EQ(heard_.size(), 1u);
  EXPECT_EQ(peers_.size(), 1u);
}

TEST_F(AgentLinkTest, AfterAShutdownItDoesNotReconnect) {
  open();
  peer(0).send(hello());
  ASSERT_TRUE(until_heard(1));
  link_.send(proto::Shutdown{"requeue", 10});
  ASSERT_TRUE(loop_.until([&] { return peer(0).receive().has_value(); }));
  peer(0).close();
  ASSERT_TRUE(until_heard(2));
  loop_.run(link_.close());
  EXPECT_EQ(peers_.size(), 1u);
}

// ---- starting the agent ----

class LaunchTest : public ::testing::Test {
 protected:
  LocalAgentOptions script(const std::string& body) {
    const auto path = folder_.path() / "agent";
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return {path, folder_.path() / "state"};
  }
  TempFolder folder_;
};

TEST_F(LaunchTest, TellsWhyTheProgramFailed) {
  const auto launched = launch_agent(script("echo 'no room here' >&2; exit 4"));
  ASSERT_FALSE(launched);
  EXPECT_THAT(launched.error().message, HasSubstr("exit code 4"));
  EXPECT_THAT(launched.error().message, HasSubstr("no room here"));
}

TEST_F(LaunchTest, TellsThatThereIsNoProgram) {
  const auto launched = launch_agent({folder_.path() / "absent", folder_.path() / "state"});
  ASSERT_FALSE(launched);
  EXPECT_THAT(launched.error().message, HasSubstr("No such file"));
}

TEST_F(LaunchTest, GivesTheStateFolderAndDoesNotWaitForWhoKeepsStderr) {
  ASSERT_TRUE(launch_agent(script("[ \"$1\" = --state-dir ] && : > \"$2/was-here\"; sleep 5 & exit 0")));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "state" / "was-here"));
}

asio::awaitable<std::string> trouble_with(AgentLink::Connector connect) {
  const auto socket = co_await connect();
  co_return socket ? std::string() : socket.error().message;
}

TEST_F(LaunchTest, ConnectsThroughAFolderDeeperThanASocketPathMayBe) {
  Loop loop;
  asio::thread_pool pool(1);
  const auto deep = folder_.path() / std::string(100, 'a') / std::string(100, 'b');
  std::filesystem::create_directories(deep);
  // Bound by a relative path, since the full one does not fit.
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(deep);
  asio::local::stream_protocol::acceptor acceptor(loop.context, asio::local::stream_protocol::endpoint("socket"));
  std::filesystem::current_path(here);
  auto connect = local_agent_connector(loop.context.get_executor(), pool, {folder_.path() / "absent", deep});
  EXPECT_EQ(loop.run(trouble_with(connect)), "");
}

}  // namespace
}  // namespace lathe::manager
