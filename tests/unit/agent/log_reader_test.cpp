// What running trials write: read in pieces, from any offset, and no file but theirs.
#include "log_reader.hpp"

#include <gmock/gmock.h>

#include "agent_fixture.hpp"
#include "files.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;

class ReadLogTest : public testing::Test {
 protected:
  [[nodiscard]] proto::LogText read(std::uint64_t offset, std::optional<std::int64_t> tail = {},
                                    const std::string& name = "stdout") const {
    return read_log(folder_.path(), {7, "t", name, offset, tail, 0});
  }

  TemporaryFolder folder_;
};

TEST_F(ReadLogTest, PiecesFollowEachOther) {
  std::string text(proto::max_log_bytes, 'a');
  text += "end";
  append_to(folder_.path() / "stdout", text);
  const proto::LogText first = read(0);
  EXPECT_EQ(first.request, 7U);
  EXPECT_TRUE(first.runs);
  EXPECT_EQ(first.size, text.size());
  EXPECT_EQ(first.bytes.size(), proto::max_log_bytes);
  EXPECT_EQ(read(first.bytes.size()).bytes, "end");
  EXPECT_EQ(read(text.size()).bytes, "");
  EXPECT_EQ(read(text.size()).offset, text.size());
}

TEST_F(ReadLogTest, AFileThatWasCutShortIsBegunAgain) {
  append_to(folder_.path() / "stdout", "new");
  const proto::LogText text = read(10);
  EXPECT_EQ(text.offset, 0U);
  EXPECT_EQ(text.bytes, "new");
}

TEST_F(ReadLogTest, TheTailIsCountedInLines) {
  append_to(folder_.path() / "stdout", "one\ntwo\nthree\n");
  EXPECT_EQ(read(0, 0).bytes, "");
  EXPECT_EQ(read(0, 0).offset, 14U);
  EXPECT_EQ(read(0, 1).bytes, "three\n");
  EXPECT_EQ(read(0, 2).bytes, "two\nthree\n");
  EXPECT_EQ(read(0, 9).bytes, "one\ntwo\nthree\n");
  append_to(folder_.path() / "stdout", "half");
  EXPECT_EQ(read(0, 1).bytes, "half");
  append_to(folder_.path() / "stderr", "line\n" + std::string(200'000, 'x'));
  EXPECT_EQ(read(0, 1, "stderr").offset, 5U) << "over several blocks";
}

TEST_F(ReadLogTest, NothingButALogIsRead) {
  append_to(folder_.path() / "parameter.cfg", "secret");
  append_to(folder_.path() / "other", "secret");
  fs::create_symlink("other", folder_.path() / "stderr");
  fs::create_directory(folder_.path() / "trial.log");
  for (const char* name : {"parameter.cfg", "../root", "", "stderr", "trial.log", "stdout"}) {
    EXPECT_EQ(read(0, {}, name).bytes, "") << name;
    EXPECT_EQ(read(0, {}, name).size, 0U) << name;
  }
}

class LogReaderTest : public AgentTest {
 protected:
  static std::string text_of(FakeDaemon& daemon, const proto::ReadLog& read) {
    daemon.send(read);
    return daemon.wait_for_text(read.request).bytes;
  }
};

TEST_F(LogReaderTest, WhoWaitsGetsTheTextWhenItIsWritten) {
  auto daemon = start_agent();
  EXPECT_TRUE(daemon->hello().reads_logs);
  daemon->send(trial(
      "t", "echo one; while [ ! -e go ]; do sleep 0.01; done; echo two; while [ ! -e end ]; do sleep 0.01; done"));
  EXPECT_EQ(text_of(*daemon, {1, "t", "stdout", 0, {}, 20'000}), "one\n");
  daemon->send(proto::ReadLog{2, "t", "stdout", 4, {}, 20'000});
  daemon->send(proto::ReadLog{3, "t", "stdout", 0, {}, 0});
  EXPECT_EQ(daemon->wait_for_text(3).bytes, "one\n") << "others are not held up";
  append_to(fs::path(trial("t", "").working_directory) / "go", "");
  EXPECT_EQ(daemon->wait_for_text(2).bytes, "two\n");
  daemon->send(proto::ReadLog{4, "t", "stdout", 8, {}, 20'000});
  append_to(fs::path(trial("t", "").working_directory) / "end", "");
  EXPECT_FALSE(daemon->wait_for_text(4).runs) << "it has ended";
  daemon->send(proto::ReadLog{5, "none", "stdout", 0, {}, 20'000});
  EXPECT_FALSE(daemon->wait_for_text(5).runs);
}

TEST_F(LogReaderTest, ABrokenConnectionIsGoneOnWithAtTheOffset) {
  auto daemon = start_agent();
  daemon->send(trial("t", "echo one; while [ ! -e go ]; do sleep 0.01; done; echo two; sleep 60"));
  EXPECT_EQ(text_of(*daemon, {1, "t", "stdout", 0, {}, 20'000}), "one\n");
  daemon->send(proto::ReadLog{2, "t", "stdout", 4, {}, 20'000});
  daemon = std::make_unique<FakeDaemon>(state_);
  append_to(fs::path(trial("t", "").working_directory) / "go", "");
  EXPECT_EQ(text_of(*daemon, {3, "t", "stdout", 4, {}, 20'000}), "two\n");
  EXPECT_EQ(daemon->texts.size(), 1U) << "what was asked over the former connection is not answered over this one";
}

}  // namespace
}  // namespace lathe::agent
