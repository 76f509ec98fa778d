#include "kept_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "keeper.hpp"
#include "launch_plan.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

/// What the keeper says when it has forked the command.
struct ForkReport {
  pid_t command = 0;
  int code = 0;  ///< errno, when there is none
};

/// A host may be so busy that a fork takes seconds; it never takes so long.
constexpr int fork_patience_ms = 30'000;

/// Of a start whose keeper was killed on the way, as by one that makes room when memory runs out.
constexpr int most_repetitions = 2;

/// The command's side. Only calls that are safe behind a fork.
[[noreturn]] void run_command(const LaunchPlan& plan, int gate, int report_pipe) {
  ::setpgid(0, 0);
  reset_signals();
  proto::LaunchReport report{proto::LaunchStep::Gate, 0};
  if (pass_gate(gate)) report = plan.run();
  [[maybe_unused]] const ssize_t sent = ::write(report_pipe, &report, sizeof report);
  ::_exit(127);
}

/// The keeper's side, likewise.
[[noreturn]] void run_keeper(const LaunchPlan& plan, int agent_end, int gate, int exit_record) {
  become_keeper();
  // A copy of the agent's end would keep the gate open for ever after the agent's death.
  ::close(agent_end);
  std::array<int, 2> pipe{};
  const pid_t command = ::pipe2(pipe.data(), O_CLOEXEC) == 0 ? ::fork() : -1;
  if (command == 0) run_command(plan, gate, pipe[1]);
  const ForkReport report{command, command < 0 ? errno : 0};
  if (command > 0) ::setpgid(command, command);
  // Before the agent goes on, so that none of its descriptors is here should it end next.
  Kept kept{command, exit_record, pipe[0]};
  const int telling = drop_descriptors(kept, gate);
  [[maybe_unused]] const ssize_t sent = ::send(telling, &report, sizeof report, MSG_NOSIGNAL);
  if (command < 0) ::_exit(1);
  keep(kept);
}

ForkReport receive_report(int gate) {
  pollfd item{gate, POLLIN, 0};
  int count = 0;
  do count = ::poll(&item, 1, fork_patience_ms);
  while (count < 0 && errno == EINTR);
  ForkReport report;
  if (count == 0) return {0, ETIMEDOUT};
  if (::recv(gate, &report, sizeof report, MSG_DONTWAIT) != static_cast<ssize_t>(sizeof report)) return {0, ECHILD};
  return report;
}

/// One try. The error code ECHILD: somebody has killed the keeper before it could report; nothing has run.
tl::expected<KeptProcess, int> fork_keeper(const LaunchPlan& plan, const Descriptor& exit_record) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return tl::unexpected(errno);
  Descriptor agent_end(ends[0]);
  Descriptor child_end(ends[1]);
  KeptProcess process;
  {
    const SignalBlock block;
    process.keeper = ::fork();
    if (process.keeper == 0) run_keeper(plan, agent_end.get(), child_end.get(), exit_record.get());
  }
  if (process.keeper < 0) return tl::unexpected(errno);
  child_end.reset();
  const ForkReport report = receive_report(agent_end.get());
  if (report.command <= 0) return tl::unexpected(report.code);
  process.command = report.command;
  process.gate = std::move(agent_end);
  return process;
}

}  // namespace

proto::Result<KeptProcess> start_kept(const Command& command, const Descriptor& exit_record) {
  const auto plan = LaunchPlan::make(command);
  if (!plan) return tl::unexpected<proto::Error>(plan.error());
  auto process = fork_keeper(*plan, exit_record);
  for (int again = 0; again < most_repetitions && !process && process.error() == ECHILD; ++again) {
    process = fork_keeper(*plan, exit_record);
  }
  if (!process) return proto::fail(describe_errno("cannot start a process", process.error()));
  return std::move(*process);
}

}  // namespace lathe::agent
