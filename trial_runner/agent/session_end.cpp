#include "session_end.hpp"

#include <signal.h>

namespace lathe::agent {

bool kill_session(const ProcessIdentity& leader) {
  if (leader.pid <= 1 || leader.boot_id != read_boot_id()) return false;
  bool found = false;
  for (const std::int64_t pid : process_ids()) {
    const auto stat = read_process_stat(pid);
    if (!stat || stat->is_dead() || stat->session != leader.pid || stat->start_ticks < leader.start_ticks) continue;
    found = true;
    ::kill(static_cast<pid_t>(pid), SIGKILL);
  }
  return found;
}

}  // namespace lathe::agent
