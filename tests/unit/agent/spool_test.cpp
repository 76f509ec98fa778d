#include "spool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <csignal>
#include <string>

#include "files.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

NewEvent metric(const std::string& trial_id, const std::string& payload, std::uint64_t end) {
  return {proto::TrialMetric{trial_id, payload, 1}, end};
}

NewEvent exited(const std::string& trial_id) {
  proto::TrialExited event;
  event.trial_id = trial_id;
  return {event, std::nullopt};
}

RunningTrial running(const std::string& trial_id) {
  RunningTrial trial;
  trial.trial_id = trial_id;
  trial.launcher = "process";
  trial.job = {{"keeper", 42}};
  trial.directory = "/d/" + trial_id;
  trial.max_duration_s = 60;
  return trial;
}

proto::TrialStarted started(const std::string& trial_id) {
  return {trial_id, 42, 1};
}

class SpoolTest : public testing::Test {
 protected:
  Spool open() {
    auto spool = Spool::open(file_);
    if (!spool) throw std::runtime_error(spool.error().message);
    return std::move(*spool);
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "spool";
};

TEST_F(SpoolTest, RemembersEverythingAfterReopening) {
  std::string state_id;
  {
    Spool spool = open();
    state_id = spool.state_id();
    ASSERT_TRUE(spool.start(running("a"), started("a")));
    spool.append({metric("a", "{\"x\": \"\\u00fc\"}", 17), metric("a", "2", 30)});
    spool.append({exited("b")});
    spool.acknowledge(2);
  }
  Spool spool = open();
  EXPECT_EQ(spool.state_id(), state_id);
  EXPECT_EQ(spool.last_sequence(), 4u);
  ASSERT_THAT(spool.unacknowledged(), SizeIs(2));
  EXPECT_EQ(spool.unacknowledged().front().sequence, 3u);
  EXPECT_THAT(spool.unacknowledged().front().json, HasSubstr("\"payload\":\"2\""));
  EXPECT_EQ(spool.unacknowledged().front().json.find("metrics_end"), std::string::npos);
  RunningTrial expected = running("a");
  expected.metrics_end = 30;
  expected.started_ms = 1;
  EXPECT_EQ(spool.running().at("a"), expected);
  EXPECT_TRUE(spool.knows("a"));
  EXPECT_TRUE(spool.knows("b"));
  EXPECT_FALSE(spool.knows("c"));
}

TEST_F(SpoolTest, AnEndedTrialIsKnownUntilItsEndIsAcknowledged) {
  Spool spool = open();
  ASSERT_TRUE(spool.start(running("a"), started("a")));
  spool.append({exited("a")});
  EXPECT_THAT(spool.running(), IsEmpty());
  EXPECT_TRUE(spool.knows("a"));
  spool.acknowledge(2);
  EXPECT_FALSE(spool.knows("a"));
  EXPECT_EQ(spool.backlog(), 0u);
}

TEST_F(SpoolTest, RemembersWhatBecomesOfATrial) {
  RunningTrial changed = running("a");
  {
    Spool spool = open();
    ASSERT_TRUE(spool.start(running("a"), std::nullopt));
    spool.append({metric("a", "1", 11), {started("a"), std::nullopt}});
    changed.job = {{"keeper", 43}};
    changed.killed_by = "user";
    changed.kill_at_ms = 99;
    spool.update(changed);
    spool.update(running("unknown"));
  }
  changed.metrics_end = 11;
  changed.started_ms = 1;
  EXPECT_EQ(open().running().at("a"), changed);
  EXPECT_FALSE(open().knows("unknown"));
  ASSERT_TRUE(open().compact());
  EXPECT_EQ(open().running().at("a"), changed);
}

TEST_F(SpoolTest, CompactingKeepsWhatIsOfUse) {
  {
    Spool spool = open();
    ASSERT_TRUE(spool.start(running("a"), started("a")));
    spool.append({metric("a", "1", 11), metric("a", "2", 22)});
    spool.acknowledge(2);
    ASSERT_TRUE(spool.compact());
  }
  Spool spool = open();
  EXPECT_EQ(spool.last_sequence(), 3u);
  EXPECT_THAT(spool.unacknowledged(), SizeIs(1));
  EXPECT_EQ(spool.running().at("a").metrics_end, 22u);
}

TEST_F(SpoolTest, SequenceNumbersGoOnWhenEverythingIsAcknowledged) {
  {
    Spool spool = open();
    spool.append({exited("a"), exited("b")});
    spool.acknowledge(2);
    ASSERT_TRUE(spool.compact());
  }
  Spool spool = open();
  EXPECT_EQ(spool.last_sequence(), 2u);
  spool.append({exited("c")});
  EXPECT_EQ(spool.unacknowledged().front().sequence, 3u);
}

TEST_F(SpoolTest, StaysSmallWhenTheDaemonKeepsUp) {
  Spool spool = open();
  for (std::uint64_t i = 1; i <= 2000; ++i) {
    spool.append({metric("a", std::string(200, 'x'), i)});
    spool.acknowledge(i);
  }
  EXPECT_LT(std::filesystem::file_size(file_), 128u * 1024u);
}

TEST_F(SpoolTest, DropsATornLastLine) {
  for (const std::string torn : {"{\"sequence\":3,\"type\":\"trial_ex", "\n{\"acknow", "{"}) {
    std::filesystem::remove(file_);
    open().append({exited("a"), exited("b")});
    append_to(file_, torn);
    {
      Spool spool = open();
      EXPECT_EQ(spool.last_sequence(), 2u) << torn;
      spool.append({exited("c")});
    }
    EXPECT_EQ(open().last_sequence(), 3u) << torn;
    EXPECT_THAT(open().unacknowledged(), SizeIs(3)) << torn;
  }
}

TEST_F(SpoolTest, SkipsADamagedLineInTheMiddle) {
  using namespace std::string_literals;
  open().append({exited("a")});
  append_to(file_, "\0\xff garbage\n[1]\n{\"running\":3}\n{\"type\":\"hello\"}\n"s);
  open().append({exited("b")});
  EXPECT_THAT(open().unacknowledged(), SizeIs(2));
}

TEST_F(SpoolTest, PutsAFileThatIsNoSpoolAside) {
  append_to(file_, "not a spool\n");
  const Spool spool = open();
  EXPECT_EQ(spool.last_sequence(), 0u);
  EXPECT_EQ(content_of(file_.string() + ".damaged"), "not a spool\n");
}

TEST_F(SpoolTest, AnAcknowledgementOfTheFutureIsTakenAsOfNow) {
  Spool spool = open();
  spool.append({exited("a")});
  spool.acknowledge(1'000'000);
  spool.append({exited("b")});
  EXPECT_THAT(spool.unacknowledged(), SizeIs(1));
}

/// While it lives no file of this process grows beyond `bytes`: a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(SpoolTest, KeepsEventsInMemoryWhileTheDiskIsFull) {
  Spool spool = open();
  {
    const FullDisk full(std::filesystem::file_size(file_) + 20);
    spool.append({exited("a")});
    EXPECT_TRUE(spool.is_waiting_for_disk());
    EXPECT_FALSE(spool.flush());
    EXPECT_EQ(spool.last_written(), 0u);
    EXPECT_EQ(spool.last_sequence(), 1u);
    EXPECT_FALSE(spool.start(running("b"), started("b")));
    EXPECT_FALSE(spool.knows("b"));
    EXPECT_EQ(content_of(file_).back(), '\n');
  }
  ASSERT_TRUE(spool.flush());
  EXPECT_EQ(spool.last_written(), 1u);
  EXPECT_THAT(open().unacknowledged(), SizeIs(1));
}

}  // namespace
}  // namespace lathe::agent
