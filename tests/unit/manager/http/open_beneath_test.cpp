#include "http/open_beneath.hpp"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;

class OpenBeneath : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "lathe-beneath-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    base_ = name;
    root_ = base_ / "root";
    fs::create_directories(root_ / "trial");
    std::ofstream(root_ / "trial/stdout") << "text";
    std::ofstream(base_ / "secret") << "secret";
  }
  void TearDown() override { fs::remove_all(base_); }

  std::string read(const fs::path& relative) const {
    const auto file = open_beneath(root_, relative);
    if (!file) return "refused: " + file.error().message;
    char bytes[64];
    const ssize_t count = ::read(file->get(), bytes, sizeof bytes);
    return {bytes, static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
  }
  bool is_refused(const fs::path& relative) const { return read(relative).substr(0, 7) == "refused"; }

  fs::path base_;
  fs::path root_;
};

TEST_F(OpenBeneath, OpensPlainFiles) {
  EXPECT_EQ(read("trial/stdout"), "text");
  fs::create_directory_symlink(root_, base_ / "alias");
  EXPECT_TRUE(open_beneath(base_ / "alias", "trial/stdout").has_value()) << "the root may be reached by a link";
}

TEST_F(OpenBeneath, NoPathLeadsOut) {
  using namespace std::string_literals;
  for (const fs::path& path : {fs::path("../secret"), fs::path("trial/../../secret"), fs::path("trial/.."),
                               fs::path("."), fs::path(""), base_ / "secret", fs::path("trial//../../secret"),
                               fs::path("trial/stdout\0.txt"s), fs::path("trial/"), fs::path("trial/stdout/")}) {
    EXPECT_TRUE(is_refused(path)) << path;
  }
}

TEST_F(OpenBeneath, NoLinkIsFollowed) {
  fs::create_symlink(base_ / "secret", root_ / "trial/file");
  fs::create_symlink("stdout", root_ / "trial/inside");
  fs::create_directory_symlink(base_, root_ / "folder");
  fs::create_symlink("/proc/self/root", root_ / "magic");
  for (const char* path :
       {"trial/file", "trial/inside", "folder/secret", "folder/root/trial/stdout", "magic/etc/passwd"})
    EXPECT_TRUE(is_refused(path)) << path;
}

TEST_F(OpenBeneath, NothingButPlainFilesIsOpened) {
  ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0600), 0);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (root_ / "socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  for (const char* path : {"pipe", "socket", "trial"}) EXPECT_TRUE(is_refused(path)) << path;
  ::close(listener);
  EXPECT_FALSE(open_beneath("/dev", "null").has_value()) << "a device";
}

TEST_F(OpenBeneath, SaysWhatIsMissing) {
  EXPECT_EQ(open_beneath(root_, "trial/none").error().field, "missing");
  EXPECT_EQ(open_beneath(root_, "none/stdout").error().field, "missing");
  fs::create_symlink("stdout", root_ / "trial/link");
  EXPECT_EQ(open_beneath(root_, "trial/link").error().message, "cannot open link: it is a symbolic link");
}

}  // namespace
}  // namespace lathe::manager
