#include "keeper.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <string_view>
#include <variant>

#include <lathe/proto/warm_start.hpp>

#include "exit_record.hpp"

namespace lathe::agent {
namespace {

/// After SIGKILL a group takes this long at most: a member in a hanging system call must not hold up the report.
constexpr std::int64_t clearing_ms = 2000;
/// How often to look whether a group is gone whose last members may be children of strangers.
constexpr std::int64_t look_ms = 20;
/// Without anything to look after; only against a signal that was lost.
constexpr std::int64_t idle_ms = 60'000;

std::int64_t now_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

sigset_t listened_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGCHLD, terminate_signal, kill_signal}) ::sigaddset(&set, number);
  return set;
}

void close_from(unsigned int first) {
#ifdef SYS_close_range
  if (::syscall(SYS_close_range, first, ~0u, 0u) == 0) return;
#endif
  const long most = ::sysconf(_SC_OPEN_MAX);
  for (long fd = first; fd < (most < 0 || most > 65536 ? 65536 : most); ++fd) ::close(static_cast<int>(fd));
}

class Keeper {
 public:
  explicit Keeper(const Kept& kept) : kept_(kept) {}

  [[noreturn]] void run() {
    const sigset_t signals = listened_signals();
    for (;;) {
      reap();
      if (is_over()) finish();
      const std::int64_t wait_ms = has_ended_ ? look_ms : idle_ms;
      const timespec patience{wait_ms / 1000, wait_ms % 1000 * 1'000'000};
      obey(::sigtimedwait(&signals, nullptr, &patience));
    }
  }

 private:
  void signal_group(int number) const { ::kill(-kept_.command, number); }

  void obey(int signal) {
    if (signal == terminate_signal) {
      is_terminating_ = true;
      signal_group(SIGTERM);
      signal_group(SIGCONT);  // a stopped process would sleep through its grace time
    } else if (signal == kill_signal) {
      kill_group();
    }
  }

  void kill_group() {
    signal_group(SIGKILL);
    give_up_ms_ = now_ms() + clearing_ms;
  }

  /// The command is looked at before it is reaped: until then its group cannot belong to anybody else. The grace time
  /// of a termination is meant for the whole group, whose end is then awaited.
  void reap() {
    siginfo_t info{};
    while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
      if (info.si_pid == kept_.command) {
        end_ = info;
        has_ended_ = true;
        if (!is_terminating_ || give_up_ms_ != 0) kill_group();
      }
      ::waitpid(info.si_pid, nullptr, 0);
      info.si_pid = 0;
    }
  }

  [[nodiscard]] bool is_over() const {
    if (!has_ended_) return false;
    if (::kill(-kept_.command, 0) != 0 && errno == ESRCH) return true;
    return give_up_ms_ != 0 && now_ms() >= give_up_ms_;
  }

  [[noreturn]] void finish() const {
    proto::LaunchReport report;
    if (::read(kept_.launch_report, &report, sizeof report) == static_cast<ssize_t>(sizeof report)) {
      write_exit_record(kept_.exit_record, report);
    } else if (end_.si_code == CLD_EXITED) {
      write_exit_record(kept_.exit_record, ExitCode{end_.si_status});
    } else {
      write_exit_record(kept_.exit_record, EndingSignal{end_.si_status});
    }
    ::_exit(0);
  }

  Kept kept_;
  siginfo_t end_{};
  bool has_ended_ = false;
  bool is_terminating_ = false;
  std::int64_t give_up_ms_ = 0;  ///< when to wait no longer for a group that was killed; 0: it was not
};

}  // namespace

void become_keeper() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  // The end of a child whose SIGCHLD is ignored cannot be learned.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &standard, nullptr);
  ::setsid();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

int drop_descriptors(Kept& kept, int also) {
  constexpr int out_of_the_way = 16;
  const int record = ::fcntl(kept.exit_record, F_DUPFD, out_of_the_way);
  const int report = ::fcntl(kept.launch_report, F_DUPFD, out_of_the_way);
  const int third = ::fcntl(also, F_DUPFD, out_of_the_way);
  const int nothing = ::open("/dev/null", O_RDWR);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) ::dup2(nothing, fd);
  kept.exit_record = ::dup2(record, proto::keeper_record_descriptor);
  kept.launch_report = ::dup2(report, proto::keeper_report_descriptor);
  constexpr int behind = proto::keeper_report_descriptor + 1;
  const int left = third < 0 ? -1 : ::dup2(third, behind);
  close_from(left < 0 ? behind : behind + 1);
  return left;
}

void keep(Kept kept) {
  ::prctl(PR_SET_NAME, "lathe-keeper", 0, 0, 0);
  drop_descriptors(kept, -1);
  ::fcntl(kept.launch_report, F_SETFL, O_NONBLOCK);
  [[maybe_unused]] const int stayed_where_it_was = ::chdir("/");
  Keeper(kept).run();
}

std::optional<Kept> kept_by_arguments(int argc, const char* const* argv) {
  if (argc != 3 || std::string_view(argv[1]) != proto::keeper_option) return std::nullopt;
  const std::string_view text = argv[2];
  pid_t command = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), command);
  if (problem != std::errc() || end != text.data() + text.size() || command <= 1) return std::nullopt;
  return Kept{command, proto::keeper_record_descriptor, proto::keeper_report_descriptor};
}

}  // namespace lathe::agent
