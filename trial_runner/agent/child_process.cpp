#include "child_process.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include "launch_plan.hpp"
#include "system_error.hpp"

namespace lathe::agent {

proto::Result<pid_t> start_child(const Command& command) {
  const auto plan = LaunchPlan::make(command);
  if (!plan) return tl::unexpected<proto::Error>(plan.error());
  const pid_t agent = ::getpid();
  const SignalBlock block;
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setpgid(0, 0);
    reset_signals();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // It may have died before that line.
    if (::getppid() == agent) [[maybe_unused]]
      const auto failed = plan->run();
    ::_exit(127);
  }
  if (pid < 0) return proto::fail(describe_errno("cannot start a process"));
  // Both sides set the group, so that it exists for both whoever comes first.
  ::setpgid(pid, pid);
  return pid;
}

}  // namespace lathe::agent
