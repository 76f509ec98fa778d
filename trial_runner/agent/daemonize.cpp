#include "daemonize.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>

#include "descriptor.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

constexpr std::uintmax_t largest_log = 1 << 20;

/// The starting process's part: the first byte is the exit code, the rest the message.
StartReport await_report(const Descriptor& pipe) {
  std::string report;
  std::array<char, 512> bytes{};
  for (ssize_t count = 1; count != 0;) {
    count = ::read(pipe.get(), bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) break;
    if (count > 0) report.append(bytes.data(), static_cast<std::size_t>(count));
  }
  if (report.empty()) return {1, "the agent ended before it was ready; see its log"};
  return {static_cast<unsigned char>(report[0]), report.substr(1)};
}

/// What the starting process left open (a database, a socket) would stay so for the life of the agent.
void close_inherited() {
#ifdef SYS_close_range
  ::syscall(SYS_close_range, 3u, ~0u, 0u);
#endif
}

bool redirect_streams(const std::filesystem::path& log_file) {
  std::error_code no_log;
  const std::uintmax_t size = std::filesystem::file_size(log_file, no_log);
  if (!no_log && size > largest_log) std::filesystem::rename(log_file, log_file.string() + ".1", no_log);
  const Descriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Descriptor log(::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  return input.is_open() && log.is_open() && ::dup2(input.get(), STDIN_FILENO) >= 0 &&
         ::dup2(log.get(), STDOUT_FILENO) >= 0 && ::dup2(log.get(), STDERR_FILENO) >= 0;
}

}  // namespace

StartReport run_detached(const std::filesystem::path& log_file, const std::function<int(const ReportStart&)>& serve) {
  close_inherited();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {1, describe_errno("cannot make a pipe")};
  Descriptor listening(ends[0]);
  Descriptor telling(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return {1, describe_errno("cannot fork")};
  if (child > 0) {
    telling.reset();
    ::waitpid(child, nullptr, 0);
    return await_report(listening);
  }
  // The second fork gives up being a session leader, which could be given a terminal again.
  listening.reset();
  ::setsid();
  if (const pid_t second = ::fork(); second != 0) ::_exit(second > 0 ? 0 : 1);
  const ReportStart report = [&telling](const StartReport& start) {
    const std::string text = std::string(1, static_cast<char>(start.exit_code)) + start.message;
    [[maybe_unused]] const ssize_t count = ::write(telling.get(), text.data(), text.size());
    telling.reset();
  };
  int code = 1;
  if (!redirect_streams(log_file)) {
    report({code, describe_errno("cannot open " + log_file.string())});
  } else if (::chdir("/") != 0) {
    report({code, describe_errno("cannot enter /")});
  } else {
    code = serve(report);
  }
  std::exit(code);
}

}  // namespace lathe::agent
