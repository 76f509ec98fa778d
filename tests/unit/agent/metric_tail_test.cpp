#include "metric_tail.hpp"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t plenty = 1 << 20;

std::string framed(const std::string& json) {
  const std::string length = std::to_string(json.size() + 1);
  return "ME" + std::string(6 - length.size(), '0') + length + json + "\n";
}

class MetricTailTest : public testing::Test {
 protected:
  std::vector<std::string> read(MetricTail& tail, bool is_complete = false, std::size_t max_bytes = plenty) {
    std::vector<std::string> payloads;
    for (auto& metric : tail.read(max_bytes, is_complete).metrics) {
      payloads.push_back(metric.payload);
      last_end_ = metric.end;
    }
    return payloads;
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "metrics";
  std::uint64_t last_end_ = 0;
};

TEST_F(MetricTailTest, FollowsAFileThatAppearsLateAndGrowsInPieces) {
  MetricTail tail(file_);
  EXPECT_THAT(read(tail), IsEmpty());
  const std::string frame = framed("{\"a\": 1}");
  append_to(file_, frame + frame.substr(0, 5));
  EXPECT_THAT(read(tail), ElementsAre("{\"a\": 1}"));
  EXPECT_EQ(last_end_, frame.size());
  EXPECT_THAT(read(tail), IsEmpty());
  append_to(file_, frame.substr(5));
  EXPECT_THAT(read(tail), ElementsAre("{\"a\": 1}"));
  EXPECT_EQ(last_end_, 2 * frame.size());
}

TEST_F(MetricTailTest, GoesOnWhereAnotherLeftOff) {
  append_to(file_, framed("1") + "junk" + framed("2") + framed("3"));
  MetricTail first(file_);
  const auto chunk = first.read(plenty, false);
  ASSERT_EQ(chunk.metrics.size(), 3u);
  MetricTail second(file_, chunk.metrics[1].end);
  EXPECT_THAT(read(second), ElementsAre("3"));
}

TEST_F(MetricTailTest, ReadsInBoundedChunks) {
  append_to(file_, framed("1") + framed("2"));
  MetricTail tail(file_);
  EXPECT_FALSE(tail.read(10, false).at_end);
  EXPECT_TRUE(tail.read(plenty, false).at_end);
}

TEST_F(MetricTailTest, TheEndGivesUpATornFrame) {
  append_to(file_, "ME000500{torn" + framed("1"));
  MetricTail tail(file_);
  EXPECT_THAT(read(tail), IsEmpty());
  EXPECT_THAT(read(tail, true), ElementsAre("1"));
  EXPECT_EQ(tail.damaged(), 1);
}

TEST_F(MetricTailTest, AFileWrittenAnewIsReadFromItsStart) {
  append_to(file_, framed("1") + framed("2"));
  MetricTail tail(file_);
  EXPECT_THAT(read(tail), ElementsAre("1", "2"));
  std::filesystem::resize_file(file_, 0);
  append_to(file_, framed("3"));
  EXPECT_THAT(read(tail), ElementsAre("3"));
  std::filesystem::remove(file_);
  append_to(file_, framed("4"));
  EXPECT_THAT(read(tail), ElementsAre("4"));
}

TEST_F(MetricTailTest, APipeInItsPlaceDoesNotBlock) {
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  MetricTail tail(file_);
  EXPECT_TRUE(tail.read(plenty, true).at_end);
}

}  // namespace
}  // namespace lathe::agent
