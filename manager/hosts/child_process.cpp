#include "hosts/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace lathe::manager {
namespace {

void give(posix_spawn_file_actions_t& actions, int descriptor, int as) {
  if (descriptor >= 0)
    posix_spawn_file_actions_adddup2(&actions, descriptor, as);
  else
    posix_spawn_file_actions_addopen(&actions, as, "/dev/null", as == STDIN_FILENO ? O_RDONLY : O_WRONLY, 0);
}

}  // namespace

SpawnSettings::SpawnSettings(const Streams& streams, bool own_session) {
  posix_spawn_file_actions_init(&actions_);
  give(actions_, streams.in, STDIN_FILENO);
  give(actions_, streams.out, STDOUT_FILENO);
  give(actions_, streams.err, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
  posix_spawnattr_init(&attributes_);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes_, &none);
  posix_spawnattr_setsigdefault(&attributes_, &all);
  int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (own_session) flags |= POSIX_SPAWN_SETSID;
  posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
}

SpawnSettings::~SpawnSettings() {
  posix_spawn_file_actions_destroy(&actions_);
  posix_spawnattr_destroy(&attributes_);
}

std::optional<int> wait_for_child(pid_t pid, std::chrono::milliseconds patience) {
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  pollfd wanted{process, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&wanted, 1, static_cast<int>(patience.count()));
  } while (ready < 0 && errno == EINTR);
  if (process >= 0) ::close(process);
  if (ready <= 0) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return std::nullopt;
  }
  if (ready <= 0) return std::nullopt;
  return status;
}

}  // namespace lathe::manager
