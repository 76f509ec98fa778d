#include "agent_images.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <array>
#include <ctime>

#include "files.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;

class AgentImagesTest : public testing::Test {
 protected:
  fs::path image(const std::string& name, int age_hours) {
    const fs::path file = folder_.path() / name;
    if (!fs::exists(file)) append_to(file, "image");
    const std::time_t then = std::time(nullptr) - age_hours * 3600;
    const std::array<timespec, 2> times{timespec{then, 0}, timespec{then, 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, file.c_str(), times.data(), 0), 0);
    return file;
  }

  TemporaryFolder folder_;
  const std::string own_ = "lathe-agent-0123456789abcdef";
};

TEST_F(AgentImagesTest, OnlyIdleBuildsOfOthersGo) {
  const fs::path own = image(own_, 100);
  const fs::path idle = image("lathe-agent-aaaaaaaaaaaaaaaa", 25);
  const fs::path half = image("lathe-agent-aaaaaaaaaaaaaaaa.4711", 25);
  const std::array kept{own,
                        image("lathe-agent-bbbbbbbbbbbbbbbb", 23),
                        image("lathe-agent-bbbbbbbbbbbbbbbb.4711", 23),
                        image("lathe-agent", 100),
                        image("lathe-agent-mine", 100),
                        image("lathe-agent-aaaaaaaaaaaaaaaa.old", 100),
                        image("lathe-agent-aaaaaaaaaaaaaaaab", 100)};
  remove_idle_images(own);
  EXPECT_FALSE(fs::exists(idle));
  EXPECT_FALSE(fs::exists(half));
  for (const fs::path& file : kept) EXPECT_TRUE(fs::exists(file)) << file;
}

TEST_F(AgentImagesTest, OneThatRunsStays) {
  const fs::path running = folder_.path() / "lathe-agent-cccccccccccccccc";
  fs::copy_file("/bin/sleep", running);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(running.c_str(), running.c_str(), "60", nullptr);
    ::_exit(127);
  }
  struct stat wanted {};
  struct stat found {};
  ASSERT_EQ(::stat(running.c_str(), &wanted), 0);
  const std::string exe = "/proc/" + std::to_string(child) + "/exe";
  while (::stat(exe.c_str(), &found) == 0 && found.st_ino != wanted.st_ino) ::usleep(1000);
  image(running.filename(), 100);
  remove_idle_images(image(own_, 0));
  EXPECT_TRUE(fs::exists(running));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  image(running.filename(), 100);
  remove_idle_images(image(own_, 0));
  EXPECT_FALSE(fs::exists(running));
}

TEST_F(AgentImagesTest, WhereNoDaemonPutItNothingGoes) {
  const fs::path idle = image("lathe-agent-aaaaaaaaaaaaaaaa", 100);
  remove_idle_images(image("lathe-agent", 0));
  EXPECT_TRUE(fs::exists(idle));
}

}  // namespace
}  // namespace lathe::agent
