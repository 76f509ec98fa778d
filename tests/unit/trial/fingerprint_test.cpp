#include "fingerprint.hpp"

#include <gtest/gtest.h>

#include "temporary_folder.hpp"

namespace lathe::trial {
namespace {

namespace fs = std::filesystem;

class FingerprintTest : public ::testing::Test {
 protected:
  test::TemporaryFolder folder_;
  fs::path first_ = folder_.write("first", "one");
  fs::path second_ = folder_.write("second", "two");
};

TEST_F(FingerprintTest, FindsNoChangeWhereThereIsNone) {
  EXPECT_EQ(Fingerprint({first_, second_, folder_.path() / "missing"}).changed(), std::nullopt);
}

TEST_F(FingerprintTest, FindsAnotherTime) {
  const Fingerprint mark({first_, second_});
  fs::last_write_time(second_, fs::last_write_time(second_) + std::chrono::nanoseconds(1000));
  EXPECT_EQ(mark.changed(), second_);
}

TEST_F(FingerprintTest, FindsAnotherFileOfTheSameNameTimeAndSize) {
  const Fingerprint mark({first_});
  const auto time = fs::last_write_time(first_);
  const fs::path other = folder_.write("other", "two");
  fs::last_write_time(other, time);
  fs::rename(other, first_);
  EXPECT_EQ(mark.changed(), first_);
}

TEST_F(FingerprintTest, FindsFilesThatComeAndGo) {
  const fs::path missing = folder_.path() / "missing";
  const Fingerprint mark({missing});
  (void)folder_.write("missing", "");
  EXPECT_EQ(mark.changed(), missing);
  const Fingerprint other({first_});
  fs::remove(first_);
  EXPECT_EQ(other.changed(), first_);
}

TEST_F(FingerprintTest, CoversModelDataAndProgram) {
  proto::CompressionConfig config;
  config.model = "/m";
  config.data.train.source = proto::IdxFiles{"/i", "/l"};
  config.data.test.source = proto::CifarFiles{{"/a", "/b"}};
  const std::vector<fs::path> expected{"/m", "/i", "/l", "/a", "/b", fs::read_symlink("/proc/self/exe")};
  EXPECT_EQ(files_of(config), expected);
}

}  // namespace
}  // namespace lathe::trial
