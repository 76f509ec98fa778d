#include "file_store.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <ctime>
#include <limits>

#include "descriptor.hpp"
#include "files.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using testing::AllOf;
using testing::HasSubstr;

class FileStoreTest : public testing::Test {
 protected:
  FileStoreTest() { EXPECT_TRUE(store_.open()); }

  /// As if it had come so long ago, and nobody had asked for it since.
  std::string keep(const std::string& text, hours age) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const Descriptor ours(ends[0]);
    const Descriptor theirs(ends[1]);
    proto::FileStream sender(ours.get(), ours.get());
    proto::FileStream receiver(theirs.get(), theirs.get());
    EXPECT_TRUE(sender.send_text(text));
    const std::string hash = proto::hash_of_text(text);
    EXPECT_TRUE(store_.keep(hash, text.size(), receiver));
    grow_old(hash, age);
    return hash;
  }
  void grow_old(const std::string& name, hours age) {
    const std::time_t then = std::time(nullptr) - std::chrono::seconds(age).count();
    const std::array<timespec, 2> times{timespec{then, 0}, timespec{then, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (root_ / "store" / name).c_str(), times.data(), 0), 0);
  }
  [[nodiscard]] bool there(const std::string& name) const { return fs::exists(root_ / "store" / name); }

  TemporaryFolder folder_;
  fs::path root_ = folder_.path();
  FileStore store_{root_};
};

TEST_F(FileStoreTest, WhatNobodyAskedForInAWeekGoes) {
  const std::string old = keep("old", hours(169));
  const std::string recent = keep("recent", hours(167));
  const std::string asked = keep("asked", hours(169));
  const std::string linked = keep("linked", hours(169));
  ASSERT_TRUE(store_.place({root_ / "linked", linked, 0644, false}));
  EXPECT_TRUE(FileStore(root_).has(asked)) << "another time";
  store_.prune();
  EXPECT_FALSE(there(old));
  EXPECT_TRUE(there(recent));
  EXPECT_TRUE(there(asked));
  EXPECT_TRUE(there(linked));
}

TEST_F(FileStoreTest, AskingLeavesTheTimeOfWritingAlone) {
  const std::string hash = keep("text", hours(50));
  const auto before = fs::last_write_time(root_ / "store" / hash);
  EXPECT_TRUE(store_.has(hash));
  EXPECT_EQ(fs::last_write_time(root_ / "store" / hash), before) << "trials take a change of it for another file";
}

TEST_F(FileStoreTest, HalvesOfFilesGoAfterADay) {
  for (const auto& [name, age] :
       {std::pair("half.unchecked.incoming", hours(25)), std::pair("new.unchecked", hours(1))}) {
    append_to(root_ / "store" / name, "x");
    grow_old(name, age);
  }
  store_.prune();
  EXPECT_FALSE(there("half.unchecked.incoming"));
  EXPECT_TRUE(there("new.unchecked"));
}

TEST_F(FileStoreTest, RoomIsMadeOfWhatIsNeitherLinkedNorAskedFor) {
  const std::string idle = keep("idle", hours(1));
  const std::string asked = keep("asked", hours(2));
  const std::string linked = keep("linked", hours(3));
  const std::string program = keep("program", hours(3));
  ASSERT_TRUE(store_.place({root_ / "linked", linked, 0644, false}));
  ASSERT_TRUE(store_.place({root_ / "program", program, 0755, false}));
  fs::remove(root_ / "program");
  EXPECT_TRUE(store_.has(asked));
  store_.make_room(1);
  EXPECT_TRUE(there(idle)) << "there is room";
  store_.make_room(std::numeric_limits<std::uint64_t>::max() / 2);
  EXPECT_FALSE(there(idle));
  EXPECT_FALSE(there(program));
  EXPECT_FALSE(there(program + ".run"));
  EXPECT_TRUE(there(asked));
  EXPECT_TRUE(there(linked));
}

TEST(FullDisk, IsExplainedWithItsSizes) {
  const std::string full = explain_full_disk("cannot write /x: No space left on device", "/tmp", 3 << 20);
  EXPECT_THAT(full, AllOf(HasSubstr("No space left on device: the disk of /tmp there has "),
                          HasSubstr(" KiB free, and 3072 KiB are needed")));
  EXPECT_EQ(explain_full_disk("cannot write /x: Permission denied", "/tmp", 1), "cannot write /x: Permission denied");
}

}  // namespace
}  // namespace lathe::agent
