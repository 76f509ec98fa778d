#include "serve.hpp"

#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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

/// Forks a child of a child, so that it becomes the agent's. True: in the grandchild.
bool fork_trial(const WarmRequest& request) {
  const pid_t child = ::fork();
  if (child < 0) request.refuse(fmt::format("cannot fork: error {}", errno));
  if (child > 0) {
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  if (child != 0) return false;
  const pid_t between = ::getpid();
  const pid_t trial = ::fork();
  if (trial < 0) request.refuse(fmt::format("cannot fork: error {}", errno));
  if (trial != 0) ::_exit(0);
  // Who hears of this process may rely on being its parent.
  while (::getppid() == between) ::sched_yield();
  return true;
}

bool say_ready() {
  return ::send(STDIN_FILENO, &proto::warm_ready, 1, MSG_NOSIGNAL) == 1;
}

/// True: in a child that is a trial. False: in the parent, when there is nothing more to do.
bool serve_requests(const Fingerprint& files) {
  const EarlyVictim victim;
  while (const auto request = WarmRequest::receive(STDIN_FILENO)) {
    if (const auto file = files.changed()) {
      std::cout << "ends, as " << file->string() << " has changed" << std::endl;
      request->refuse(file->string() + " has changed");
      return false;
    }
    if (!fork_trial(*request)) continue;
    request->become_trial();
    victim.stop_being_one();
    return true;
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
