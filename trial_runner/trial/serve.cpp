#include "serve.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <lathe/proto/warm_start.hpp>

#include "fingerprint.hpp"
#include "notices.hpp"
#include "threads.hpp"
#include "warm_request.hpp"
#include "warm_up.hpp"

namespace lathe::trial {
namespace {

namespace fs = std::filesystem;

/// Loading and warming up may take so long; a model that never comes back must not hold a core for ever.
constexpr unsigned int kSecondsToBeReady = 300;

/// While it only waits, the parent is the first to go when memory is short: trials can do without it.
class EarlyVictim {
 public:
  EarlyVictim() {
    std::getline(std::ifstream(kFile), usual_);
    set(kFirst);
  }
  /// For a child, which is a trial like any other.
  void stop_being_one() const { set(usual_); }

 private:
  static constexpr const char* kFile = "/proc/self/oom_score_adj";
  static constexpr const char* kFirst = "1000";
  static void set(const std::string& score) { std::ofstream(kFile) << score; }

  std::string usual_;
};

struct Loaded {
  Setup setup;
  Fingerprint files;
};

Result<Loaded> load(const fs::path& config_file) {
  // Taken first: a file that changes while it is read is found out.
  const Fingerprint config_mark({config_file});
  const auto config = read_compression_config(config_file);
  if (!config) return tl::unexpected(config.error());
  if (config->threads != 1) {
    return fail(fmt::format("{}: threads is {}; only trials with one thread can be forked", config_file.string(),
                            config->threads));
  }
  auto files = files_of(*config);
  files.push_back(config_file);
  Fingerprint marks(std::move(files));
  set_threads(1);
  auto setup = load_setup(*config);
  if (!setup) return tl::unexpected(setup.error());
  if (config_mark.changed()) return fail(fmt::format("{} changed while it was read", config_file.string()));
  return Loaded{std::move(*setup), std::move(marks)};
}

Result<void> check_single_thread() {
  const auto threads = std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator());
  if (threads == 1) return {};
  return fail(fmt::format("this process has {} threads; only one with a single thread can be forked", threads));
}

/// Nobody waits for the keepers: each ends when its trial has, and they are to leave no zombies.
void let_children_go() {
  ::signal(SIGCHLD, SIG_IGN);
}

/// Makes the calling process what a keeper is before its program takes over: nothing may end it, orphans come to it,
/// and its child's end waits for it.
void lead_session(sigset_t& mask_before) {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &mask_before);
  ::signal(SIGCHLD, SIG_DFL);
  ::setsid();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/// Forks the trial's keeper, which forks the trial. True: in the trial.
bool fork_trial(const WarmRequest& request, const EarlyVictim& victim) {
  const pid_t keeper = ::fork();
  if (keeper < 0) request.refuse(fmt::format("cannot fork: error {}", errno));
  if (keeper != 0) return false;
  // Both are worth more than the parent that they come from.
  victim.stop_being_one();
  sigset_t before;
  std::array<int, 2> report{};
  lead_session(before);
  const pid_t trial = ::pipe2(report.data(), O_CLOEXEC) == 0 ? ::fork() : -1;
  if (trial < 0) request.refuse(fmt::format("cannot fork: error {}", errno));
  if (trial != 0) request.become_keeper(trial, report[0]);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  request.become_trial(report[1]);
  return true;
}

bool say_ready() {
  return ::send(STDIN_FILENO, &proto::warm_ready, 1, MSG_NOSIGNAL) == 1;
}

/// True: in a child that is a trial. False: in the parent, when there is nothing more to do.
bool serve_requests(const Fingerprint& files) {
  const EarlyVictim victim;
  let_children_go();
  while (const auto request = WarmRequest::receive(STDIN_FILENO)) {
    if (const auto file = files.changed()) {
      std::cout << "ends, as " << file->string() << " has changed" << std::endl;
      request->refuse(file->string() + " has changed");
      return false;
    }
    if (fork_trial(*request, victim)) return true;
  }
  return false;
}

}  // namespace

Result<std::optional<Setup>> serve(const fs::path& config_file) {
  ::alarm(kSecondsToBeReady);
  auto loaded = load(config_file);
  if (!loaded) return tl::unexpected(loaded.error());
  if (const auto warmed = warm_up(loaded->setup); !warmed) warn("warming up: " + warmed.error().message);
  if (auto single = check_single_thread(); !single) return tl::unexpected(single.error());
  ::alarm(0);
  std::cout << "process " << ::getpid() << " is warm: " << config_file.string() << std::endl;
  if (!say_ready()) return fail("standard input is not the socket of an agent");
  if (serve_requests(loaded->files)) return std::move(loaded->setup);
  return std::nullopt;
}

}  // namespace lathe::trial
