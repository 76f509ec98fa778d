#include "code_tree.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "agent_fixture.hpp"
#include "files.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class CodeTreeTest : public AgentTest {
 protected:
  CodeTreeTest() {
    fs::create_directories(tree_ / "package/deep");
    append_to(tree_ / "train.py", "print()\n");
    append_to(tree_ / "package/data", std::string(100'000, 'd'));
    ::chmod((tree_ / "train.py").c_str(), 0755);
    ::chmod((tree_ / "package/data").c_str(), 0440);
  }
  [[nodiscard]] proto::Result<void> copy() const { return copy_code_tree(tree_, copy_, stop_); }
  static mode_t mode_of(const fs::path& path) {
    struct stat info {};
    ::lstat(path.c_str(), &info);
    return info.st_mode & 07777;
  }

  fs::path tree_ = folder_.path() / "tree";
  fs::path copy_ = folder_.path() / "trials/a/code";
  std::atomic<bool> stop_ = false;
};

TEST_F(CodeTreeTest, KeepsContentModesTimesAndLinks) {
  fs::create_symlink("package/data", tree_ / "link");
  fs::create_symlink("../train.py", tree_ / "package/up");
  fs::create_symlink("missing", tree_ / "dangling");
  ::chmod((tree_ / "package/deep").c_str(), 0500);
  const auto copied = copy();
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(content_of(copy_ / "train.py"), "print()\n");
  EXPECT_EQ(content_of(copy_ / "package/data"), std::string(100'000, 'd'));
  EXPECT_EQ(mode_of(copy_ / "train.py"), 0755u);
  EXPECT_EQ(mode_of(copy_ / "package/data"), 0440u);
  EXPECT_EQ(mode_of(copy_ / "package/deep"), 0500u);
  EXPECT_EQ(fs::last_write_time(copy_ / "train.py"), fs::last_write_time(tree_ / "train.py"));
  EXPECT_EQ(fs::read_symlink(copy_ / "link"), "package/data");
  EXPECT_EQ(fs::read_symlink(copy_ / "package/up"), "../train.py");
  EXPECT_EQ(fs::read_symlink(copy_ / "dangling"), "missing");
}

TEST_F(CodeTreeTest, ReplacesWhatIsThere) {
  fs::create_directories(copy_);
  append_to(copy_ / "old", "x");
  ASSERT_TRUE(copy());
  EXPECT_FALSE(fs::exists(copy_ / "old"));
}

TEST_F(CodeTreeTest, RefusesLinksThatLeadOut) {
  for (const std::string target : {"/etc/passwd", "../elsewhere", "package/../../elsewhere", "turn/../elsewhere"}) {
    fs::remove(tree_ / "link");
    fs::remove(tree_ / "turn");
    fs::create_symlink(".", tree_ / "turn");
    fs::create_symlink(target, tree_ / "link");
    const auto copied = copy();
    ASSERT_FALSE(copied) << target;
    EXPECT_THAT(copied.error().message, HasSubstr("link -> " + target + " leads out"));
  }
}

TEST_F(CodeTreeTest, LeavesOutWhatIsNoFile) {
  ASSERT_EQ(::mkfifo((tree_ / "pipe").c_str(), 0600), 0);
  ASSERT_TRUE(copy());
  EXPECT_FALSE(fs::exists(fs::symlink_status(copy_ / "pipe")));
}

TEST_F(CodeTreeTest, NamesWhatCannotBeUsed) {
  tree_ = folder_.path() / "nothing";
  EXPECT_THAT(copy().error().message, HasSubstr("nothing\": No such file"));
  tree_ = folder_.path();
  EXPECT_THAT(copy().error().message, HasSubstr("holds the trial's own folder"));
  tree_ = "/etc/passwd";
  EXPECT_THAT(copy().error().message, HasSubstr("not the absolute path of a folder"));
}

TEST_F(CodeTreeTest, CanBeStopped) {
  stop_ = true;
  EXPECT_THAT(copy().error().message, HasSubstr("was stopped"));
}

TEST_F(CodeTreeTest, ATrialRunsInItsCopy) {
  const auto daemon = start_agent();
  auto start = trial("a", "pwd; cat train.py; echo changed > train.py");
  start.code_tree = tree_;
  daemon->send(start);
  EXPECT_EQ(daemon->wait_for_exit("a").exit_code, 0);
  EXPECT_EQ(content_of(directory_of("a") / "stdout"), (directory_of("a") / "code").string() + "\nprint()\n");
  EXPECT_EQ(content_of(tree_ / "train.py"), "print()\n");
}

TEST_F(CodeTreeTest, ACodeTreeThatCannotBeCopiedFailsTheStart) {
  const auto daemon = start_agent();
  auto start = trial("a", "true");
  start.code_tree = "/nowhere/at/all";
  daemon->send(start);
  EXPECT_THAT(daemon->wait_for_exit("a").error, HasSubstr("/nowhere/at/all"));
  EXPECT_EQ(daemon->events.size(), 1u);
}

}  // namespace
}  // namespace lathe::agent
