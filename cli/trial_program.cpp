#include "trial_program.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "output/text.hpp"

namespace lathe::cli {
namespace fs = std::filesystem;
namespace {

Outcome<fs::path> find_program() {
  std::error_code error;
  const fs::path own = fs::read_symlink("/proc/self/exe", error);
  if (error) return fail("cannot find out where lathectl lies: " + error.message());
  fs::path program = own.parent_path() / "lathe-trial";
  if (::access(program.c_str(), X_OK) == 0) return program;
  return fail(fmt::format("{}: {}; it belongs beside lathectl and does what needs a model at hand",
                          escape(program.string()), std::strerror(errno)));
}

/// Signals of the terminal go to the program too: it decides, and we learn from its end.
class IgnoredSignals {
 public:
  IgnoredSignals() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGINT, &ignore, &interrupt_);
    ::sigaction(SIGQUIT, &ignore, &quit_);
  }
  ~IgnoredSignals() {
    ::sigaction(SIGINT, &interrupt_, nullptr);
    ::sigaction(SIGQUIT, &quit_, nullptr);
  }
  IgnoredSignals(const IgnoredSignals&) = delete;
  IgnoredSignals& operator=(const IgnoredSignals&) = delete;

 private:
  struct sigaction interrupt_ {};
  struct sigaction quit_ {};
};

Outcome<pid_t> spawn(const fs::path& program, const std::vector<std::string>& arguments) {
  std::string name = program.string();
  std::vector<std::string> words = arguments;
  std::vector<char*> pointers{name.data()};
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGINT);
  sigaddset(&defaults, SIGQUIT);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, name.c_str(), nullptr, &attributes, pointers.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return fail(fmt::format("{}: {}", escape(name), std::strerror(error)));
  return child;
}

}  // namespace

Outcome<ExitCode> run_trial_program(const std::vector<std::string>& arguments) {
  auto program = find_program();
  if (!program) return pass_on(program);
  const IgnoredSignals ignored;
  auto child = spawn(*program, arguments);
  if (!child) return pass_on(child);
  int status = 0;
  while (::waitpid(*child, &status, 0) < 0) {
    if (errno != EINTR) return fail(fmt::format("lathe-trial is lost: {}", std::strerror(errno)));
  }
  if (WIFSIGNALED(status)) {
    if (WTERMSIG(status) == SIGINT) return ExitCode::Interrupted;
    return fail(fmt::format("lathe-trial was ended by signal {}{}", WTERMSIG(status),
                            WTERMSIG(status) == SIGKILL ? "; did the machine run out of memory?" : ""));
  }
  const int code = WEXITSTATUS(status);
  if (code == 0) return ExitCode::Ok;
  return code == static_cast<int>(ExitCode::Interrupted) ? ExitCode::Interrupted : ExitCode::Failed;
}

}  // namespace lathe::cli
