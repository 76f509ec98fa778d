// What goes is gone, whatever a trial has made of its folder, and nothing that a link leads to.
#include "trash.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "descriptor.hpp"
#include "files.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;

class TrashTest : public testing::Test {
 protected:
  TrashTest() {
    fs::create_directories(root_ / "experiments/e/trials/t");
    fs::create_directories(folder_.path() / "precious");
    append_to(folder_.path() / "precious/file", "dear");
  }

  void empty(Trash& trash, std::size_t at_once = 1000) {
    int rounds = 0;
    while (trash.empty_some(at_once)) ASSERT_LT(++rounds, 10'000);
  }
  [[nodiscard]] bool is_empty() const { return fs::is_empty(root_ / "trash"); }

  TemporaryFolder folder_;
  fs::path root_ = folder_.path() / "root";
  fs::path trial_ = root_ / "experiments/e/trials/t";
  Trash trash_{root_};
};

TEST_F(TrashTest, TakesAFolderAtOnceAndDeletesItPieceByPiece) {
  for (int i = 0; i < 10; ++i) append_to(trial_ / std::to_string(i), "x");
  ASSERT_TRUE(trash_.take("experiments/e/trials/t"));
  EXPECT_FALSE(fs::exists(trial_));
  EXPECT_TRUE(fs::exists(trial_.parent_path()));
  EXPECT_TRUE(trash_.empty_some(3));
  EXPECT_FALSE(is_empty());
  empty(trash_, 3);
  EXPECT_TRUE(is_empty());
}

TEST_F(TrashTest, WhatIsNotThereIsDone) {
  EXPECT_TRUE(trash_.take("experiments/e/trials/other"));
  EXPECT_TRUE(trash_.take("experiments/none/trials/t"));
  EXPECT_FALSE(trash_.empty_some(10));
}

TEST_F(TrashTest, NoLinkIsFollowed) {
  fs::create_directory_symlink(folder_.path() / "precious", trial_ / "out");
  fs::create_directory_symlink(folder_.path() / "precious", root_ / "experiments/linked");
  fs::create_directories(root_ / "experiments/f");
  fs::create_directory_symlink(folder_.path(), root_ / "experiments/f/trials");
  EXPECT_FALSE(trash_.take("experiments/f/trials/precious")) << "a link on the way";
  ASSERT_TRUE(trash_.take("experiments/e"));
  ASSERT_TRUE(trash_.take("experiments/linked")) << "the link itself goes";
  ASSERT_TRUE(trash_.take("experiments/f"));
  empty(trash_);
  EXPECT_TRUE(is_empty());
  EXPECT_TRUE(fs::is_empty(root_ / "experiments"));
  EXPECT_EQ(content_of(folder_.path() / "precious/file"), "dear");
}

TEST_F(TrashTest, FoldersThatForbidEverythingGoToo) {
  fs::create_directories(trial_ / "a/b");
  append_to(trial_ / "a/b/file", "x");
  for (const char* name : {"a/b", "a", ""}) ASSERT_EQ(::chmod((trial_ / name).c_str(), 0), 0);
  ASSERT_TRUE(trash_.take("experiments/e/trials/t"));
  empty(trash_);
  EXPECT_TRUE(is_empty());
}

TEST_F(TrashTest, DepthCostsNoDescriptors) {
  Descriptor deepest(::open(trial_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(::mkdirat(deepest.get(), "d", 0700), 0) << "deeper than a path can tell";
    deepest = Descriptor(::openat(deepest.get(), "d", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  ASSERT_TRUE(trash_.take("experiments/e"));
  empty(trash_);
  EXPECT_TRUE(is_empty());
}

TEST_F(TrashTest, GoesOnWithWhatAKilledProcessLeft) {
  append_to(trial_ / "file", "x");
  ASSERT_TRUE(Trash(root_).take("experiments/e"));
  EXPECT_FALSE(is_empty());
  empty(trash_);
  EXPECT_TRUE(is_empty());
}

}  // namespace
}  // namespace lathe::agent
