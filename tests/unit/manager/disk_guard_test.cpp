#include "experiment/disk_guard.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(DiskGuard, NothingIsInTheWayWhileTheReserveIsFree) {
  EXPECT_EQ(DiskGuard("/proc", 0).obstacle(), "") << "no reserve, though /proc has no space at all";
  EXPECT_EQ(DiskGuard(testing::TempDir(), 1).obstacle(), "");
}

TEST(DiskGuard, TellsWhatIsLeftAndWhatToDo) {
  EXPECT_THAT(DiskGuard("/proc", 5 << 20).obstacle(),
              AllOf(HasSubstr("the disk of /proc is full but for 0 MiB"), HasSubstr("once 5 MiB are free")));
  EXPECT_THAT(DiskGuard(testing::TempDir(), std::numeric_limits<std::uint64_t>::max() >> 1).obstacle(),
              HasSubstr("is full but for"));
}

TEST(DiskGuard, ADiskThatCannotBeAskedIsNoObstacle) {
  EXPECT_EQ(DiskGuard("/nowhere/at/all", 1).obstacle(), "");
}

}  // namespace
}  // namespace lathe::manager
