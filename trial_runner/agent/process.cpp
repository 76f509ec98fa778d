#include "process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

#include <lathe/proto/warm_start.hpp>

#include "launch_environment.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

using proto::LaunchReport;
using proto::LaunchStep;

constexpr std::array launch_steps{"cannot pass its gate", "cannot enter the working directory",
                                  "cannot set up its standard streams", "cannot run the shell"};

/// Everything that the child needs, laid out before the fork: behind it nothing is allocated.
struct LaunchPlan {
  std::vector<std::string> environment;
  std::vector<char*> environment_pointers;
  std::array<char*, 4> arguments{};
  int working_directory = -1;
  int standard_input = -1;  ///< -1: nothing to read
  int standard_output = -1;
  int standard_error = -1;
  bool dies_with_agent = false;
};

void reset_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool redirect(const LaunchPlan& plan) {
  const int input = plan.standard_input >= 0 ? plan.standard_input : ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return input >= 0 && ::dup2(input, STDIN_FILENO) >= 0 && ::dup2(plan.standard_output, STDOUT_FILENO) >= 0 &&
         ::dup2(plan.standard_error, STDERR_FILENO) >= 0;
}

/// Whatever descriptor the agent itself was born with must not go on to the trial. (Linux 5.11; our own are all
/// O_CLOEXEC.)
void close_strangers_on_exec() {
#ifdef SYS_close_range
  constexpr unsigned int close_on_exec = 1u << 2;
  ::syscall(SYS_close_range, 3u, ~0u, close_on_exec);
#endif
}

/// The child's side. Only calls that are safe behind a fork.
[[noreturn]] void run_child(const LaunchPlan& plan, int agent_end, int gate) {
  ::setpgid(0, 0);
  reset_signals();
  // An agent that died before this line is noticed at the gate.
  if (plan.dies_with_agent) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Our copy of the agent's end would keep the gate open for ever after the agent's death.
  ::close(agent_end);
  char pass = 0;
  ssize_t count = 0;
  do count = ::read(gate, &pass, 1);
  while (count < 0 && errno == EINTR);
  if (count != 1) ::_exit(127);
  close_strangers_on_exec();
  LaunchReport report;
  if (::fchdir(plan.working_directory) != 0) {
    report = {LaunchStep::Directory, errno};
  } else if (!redirect(plan)) {
    report = {LaunchStep::Descriptors, errno};
  } else {
    ::execve(plan.arguments[0], plan.arguments.data(), plan.environment_pointers.data());
    report = {LaunchStep::Exec, errno};
  }
  [[maybe_unused]] const ssize_t sent = ::send(gate, &report, sizeof report, MSG_NOSIGNAL);
  ::_exit(127);
}

LaunchPlan plan_launch(const Command& command) {
  LaunchPlan plan;
  plan.environment = merged_environment(command.environment);
  for (std::string& entry : plan.environment) plan.environment_pointers.push_back(entry.data());
  plan.environment_pointers.push_back(nullptr);
  static char option[] = "-c";
  plan.arguments = {const_cast<char*>(command.shell.c_str()), option, const_cast<char*>(command.text.c_str()), nullptr};
  plan.working_directory = command.working_directory.get();
  plan.standard_input = command.standard_input.get();
  plan.standard_output = command.standard_output.get();
  plan.standard_error = command.standard_error.get();
  plan.dies_with_agent = command.dies_with_agent;
  return plan;
}

}  // namespace

std::optional<ProcessStat> read_process_stat(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text, '\0')) return std::nullopt;
  // The name of the program stands in brackets and may hold anything, brackets too: fields are counted from the last.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  ProcessStat stat;
  std::int64_t parent = 0;
  if (!(fields >> stat.state >> parent >> stat.group >> stat.session)) return std::nullopt;
  std::string skipped;
  for (int field = 7; field < 22; ++field) fields >> skipped;
  if (!(fields >> stat.start_ticks)) return std::nullopt;
  return stat;
}

std::string read_boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

proto::Result<GatedProcess> GatedProcess::start(const Command& command) {
  if (const auto problem = environment_problem(command.environment)) return proto::fail(*problem);
  if (command.text.find('\0') != std::string::npos) return proto::fail("command: holds a NUL character");
  const LaunchPlan plan = plan_launch(command);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return proto::fail(describe_errno("cannot make the gate of a process"));
  }
  Descriptor agent_end(ends[0]);
  const Descriptor child_end(ends[1]);
  // With signals blocked across the fork none can reach the agent's handlers inside the child.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) run_child(plan, agent_end.get(), child_end.get());
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return proto::fail(describe_errno("cannot start a process"));
  // Both sides set the group, so that it exists for both whoever comes first.
  ::setpgid(pid, pid);
  return GatedProcess(pid, std::move(agent_end));
}

void GatedProcess::release() {
  const char pass = 1;
  [[maybe_unused]] const ssize_t sent = ::send(gate_.get(), &pass, 1, MSG_NOSIGNAL);
}

std::optional<std::string> GatedProcess::launch_failure() const {
  LaunchReport report;
  const ssize_t count = ::recv(gate_.get(), &report, sizeof report, MSG_DONTWAIT);
  if (count != static_cast<ssize_t>(sizeof report)) return std::nullopt;
  return describe_errno(launch_steps.at(static_cast<std::size_t>(report.step)), report.code);
}

std::string find_shell() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path != nullptr ? path : "") + ":/bin:/usr/bin:/usr/local/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string shell = folder + "/bash";
    if (folder.starts_with('/') && ::access(shell.c_str(), X_OK) == 0) return shell;
  }
  return "/bin/sh";
}

}  // namespace lathe::agent
