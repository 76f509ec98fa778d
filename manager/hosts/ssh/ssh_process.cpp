#include "hosts/ssh/ssh_process.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "hosts/child_process.hpp"

namespace lathe::manager {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kKeptComplaint = 4096;
constexpr auto kGrace = 2s;

std::vector<std::string> merged_environment(const SshProcess::Environment& added) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!added.contains(std::string(text.substr(0, text.find('='))))) entries.emplace_back(text);
  }
  for (const auto& [name, value] : added) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

/// Waits for a process that was told to end, away from the loop.
void reap(pid_t pid) {
  std::thread([pid] { wait_for_child(pid, kGrace); }).detach();
}

}  // namespace

proto::Result<std::unique_ptr<SshProcess>> SshProcess::start(const std::vector<std::string>& arguments,
                                                             const Environment& environment) {
  std::array<int, 2> pair{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return proto::fail(fmt::format("cannot make a socket pair: {}", std::strerror(errno)));
  const int complaints = ::memfd_create("ssh-stderr", MFD_CLOEXEC);
  std::vector<std::string> words = arguments;
  std::vector<std::string> variables = merged_environment(environment);
  const SpawnSettings settings({pair[1], pair[1], complaints}, /*own_session=*/true);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, words.front().c_str(), settings.actions(), settings.attributes(),
                                   pointers(words).data(), pointers(variables).data());
  ::close(pair[1]);
  if (error != 0) {
    ::close(pair[0]);
    ::close(complaints);
    return proto::fail(fmt::format("cannot run {} (package openssh-client): {}", words.front(), std::strerror(error)));
  }
  return std::unique_ptr<SshProcess>(new SshProcess(pid, pair[0], complaints));
}

SshProcess::~SshProcess() {
  if (socket_ >= 0) ::close(socket_);
  ::close(complaints_);
  terminate();
  reap(pid_);
}

void SshProcess::terminate() const {
  ::kill(pid_, SIGTERM);
}

int SshProcess::take_socket() {
  return std::exchange(socket_, -1);
}

std::string SshProcess::complaint() const {
  struct stat status {};
  if (::fstat(complaints_, &status) != 0 || status.st_size <= 0) return {};
  const auto size = static_cast<std::size_t>(status.st_size);
  const std::size_t kept = std::min(size, kKeptComplaint);
  std::string text(kept, '\0');
  const ssize_t count = ::pread(complaints_, text.data(), kept, static_cast<off_t>(size - kept));
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

}  // namespace lathe::manager
