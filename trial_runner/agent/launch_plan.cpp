#include "launch_plan.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <sstream>

#include "launch_environment.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

using proto::LaunchReport;
using proto::LaunchStep;

constexpr std::array launch_steps{"cannot pass its gate", "cannot enter the working directory",
                                  "cannot set up its standard streams", "cannot run the shell"};

bool redirect(const Command& command) {
  const int given = command.standard_input.get();
  const int input = given >= 0 ? given : ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return input >= 0 && ::dup2(input, STDIN_FILENO) >= 0 && ::dup2(command.standard_output.get(), STDOUT_FILENO) >= 0 &&
         ::dup2(command.standard_error.get(), STDERR_FILENO) >= 0;
}

/// Whatever descriptor the agent itself was born with must not go on to the trial. (Linux 5.11; our own are all
/// O_CLOEXEC.)
void close_strangers_on_exec() {
#ifdef SYS_close_range
  constexpr unsigned int close_on_exec = 1u << 2;
  ::syscall(SYS_close_range, 3u, ~0u, close_on_exec);
#endif
}

}  // namespace

bool pass_gate(int gate) {
  char pass = 0;
  ssize_t count = 0;
  do count = ::read(gate, &pass, 1);
  while (count < 0 && errno == EINTR);
  return count == 1;
}

void open_gate(int gate) {
  const char pass = 1;
  [[maybe_unused]] const ssize_t sent = ::send(gate, &pass, 1, MSG_NOSIGNAL);
}

void reset_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

SignalBlock::SignalBlock() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before_);
}

SignalBlock::~SignalBlock() {
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

proto::Result<LaunchPlan> LaunchPlan::make(const Command& command) {
  if (const auto problem = environment_problem(command.environment)) return proto::fail(*problem);
  if (command.text.find('\0') != std::string::npos) return proto::fail("command: holds a NUL character");
  LaunchPlan plan;
  plan.command_ = &command;
  plan.environment_ = merged_environment(command.environment);
  for (std::string& entry : plan.environment_) plan.environment_pointers_.push_back(entry.data());
  plan.environment_pointers_.push_back(nullptr);
  return plan;
}

LaunchReport LaunchPlan::run() const {
  close_strangers_on_exec();
  if (::fchdir(command_->working_directory.get()) != 0) return {LaunchStep::Directory, errno};
  if (!redirect(*command_)) return {LaunchStep::Descriptors, errno};
  const char* const arguments[] = {command_->shell.c_str(), "-c", command_->text.c_str(), nullptr};
  ::execve(arguments[0], const_cast<char* const*>(arguments), environment_pointers_.data());
  return {LaunchStep::Exec, errno};
}

std::string describe(const LaunchReport& report) {
  const auto step = static_cast<std::size_t>(report.step);
  return describe_errno(step < launch_steps.size() ? launch_steps[step] : "cannot be started", report.code);
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
