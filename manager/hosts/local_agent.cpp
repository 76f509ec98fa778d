#include "hosts/local_agent.hpp"

#include <fcntl.h>
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

#include "hosts/child_process.hpp"
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

/// What is in the pipe now; whoever still holds its other end is not waited for.
std::string read_available(int fd) {
  std::string output(kKeptOutput, '\0');
  const ssize_t size = ::read(fd, output.data(), output.size());
  output.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return output;
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
    const SpawnSettings settings({-1, -1, writing.get()}, /*own_session=*/false);
    std::string program = options.program.string();
    std::string flag = "--state-dir";
    std::string folder = options.state_dir.string();
    std::array<char*, 4> arguments{program.data(), flag.data(), folder.data(), nullptr};
    const int failed =
        ::posix_spawn(&pid, program.c_str(), settings.actions(), settings.attributes(), arguments.data(), environ);
    if (failed != 0) return proto::fail(fmt::format("cannot run {}: {}", program, std::strerror(failed)));
  }
  const std::optional<int> status = wait_for_child(pid, kLaunchTimeout);
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
