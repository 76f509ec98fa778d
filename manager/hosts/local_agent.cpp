#include "hosts/local_agent.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>

#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "storage/on_pool.hpp"

namespace lathe::manager {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto kLaunchTimeout = 15s;
constexpr std::size_t kKeptOutput = 2048;

/// A file descriptor that is closed when it dies.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

/// What a child process gets: no open files but the three standard ones, no blocked or ignored signals.
class SpawnSettings {
 public:
  explicit SpawnSettings(int stderr_fd) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, stderr_fd, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

/// What is in the pipe now; whoever still holds its other end is not waited for.
std::string read_available(int fd) {
  std::string output(kKeptOutput, '\0');
  const ssize_t size = ::read(fd, output.data(), output.size());
  output.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return output;
}

/// Waits for the child; one that outstays its time is killed. Returns its wait status.
std::optional<int> wait_for(pid_t pid, std::chrono::milliseconds timeout) {
  const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd wanted{process.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&wanted, 1, static_cast<int>(timeout.count()));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return std::nullopt;
  }
  if (ready <= 0) return std::nullopt;
  return status;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

struct PendingConnection {
  asio::any_io_executor executor;
  LocalAgentOptions options;
};

/// sun_path holds 107 bytes; a data folder may be deeper, so the socket is addressed through its open folder.
asio::awaitable<proto::Result<AgentLink::Socket>> connect_once(PendingConnection pending) {
  const Descriptor folder(::open(pending.options.state_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) {
    co_return proto::fail(fmt::format("{}: {}", pending.options.state_dir.string(), std::strerror(errno)));
  }
  const std::string path = fmt::format("/proc/self/fd/{}/socket", folder.get());
  AgentLink::Socket socket(pending.executor);
  boost::system::error_code error;
  const asio::local::stream_protocol::endpoint endpoint(path);
  co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return proto::fail(fmt::format("{}/socket: {}", pending.options.state_dir.string(), error.message()));
  co_return socket;
}

asio::awaitable<proto::Result<AgentLink::Socket>> connect_or_launch(PendingConnection pending,
                                                                    asio::thread_pool* pool) {
  auto socket = co_await connect_once(pending);
  if (socket) co_return socket;
  auto launch = [options = pending.options] { return launch_agent(options); };
  const proto::Result<void> launched = co_await on_pool(*pool, std::move(launch));
  if (!launched) co_return tl::unexpected(launched.error());
  co_return co_await connect_once(pending);
}

}  // namespace

proto::Result<void> launch_agent(const LocalAgentOptions& options) {
  std::error_code made;
  std::filesystem::create_directories(options.state_dir, made);
  if (made) return proto::fail(fmt::format("{}: {}", options.state_dir.string(), made.message()));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return proto::fail(fmt::format("no pipe: {}", std::strerror(errno)));
  const Descriptor reading(ends[0]);
  pid_t pid = -1;
  {
    const Descriptor writing(ends[1]);
    SpawnSettings settings(writing.get());
    std::string program = options.program.string();
    std::string flag = "--state-dir";
    std::string folder = options.state_dir.string();
    std::array<char*, 4> arguments{program.data(), flag.data(), folder.data(), nullptr};
    const int failed =
        ::posix_spawn(&pid, program.c_str(), &settings.actions_, &settings.attributes_, arguments.data(), environ);
    if (failed != 0) return proto::fail(fmt::format("cannot run {}: {}", program, std::strerror(failed)));
  }
  const std::optional<int> status = wait_for(pid, kLaunchTimeout);
  const std::string output = read_available(reading.get());
  if (!status)
    return proto::fail(fmt::format("{} did not come up in time: {}", options.program.string(), trimmed(output)));
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return {};
  return proto::fail(fmt::format("{} failed ({} {}): {}", options.program.string(),
                                 WIFEXITED(*status) ? "exit code" : "signal",
                                 WIFEXITED(*status) ? WEXITSTATUS(*status) : WTERMSIG(*status), trimmed(output)));
}

AgentLink::Connector local_agent_connector(asio::any_io_executor executor, asio::thread_pool& pool,
                                           LocalAgentOptions options) {
  PendingConnection pending{std::move(executor), std::move(options)};
  return [pending = std::move(pending), &pool]() { return connect_or_launch(pending, &pool); };
}

}  // namespace lathe::manager
