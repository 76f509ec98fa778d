#include "attach.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "socket_path.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

constexpr std::size_t buffer_bytes = 64 * 1024;

/// One direction: a buffer that is filled when it is empty and emptied when it is not, so that a reader that does not
/// read holds up the writer and nothing piles up here.
class Stream {
 public:
  Stream(int from, int to) : from_(from), to_(to) {}

  /// What to wait for; fd -1: nothing any more.
  [[nodiscard]] pollfd wanted() const {
    if (size_ > 0) return {to_, POLLOUT, 0};
    return {is_at_end_ ? -1 : from_, POLLIN, 0};
  }
  [[nodiscard]] bool is_over() const { return is_at_end_ && size_ == 0; }

  /// Nobody takes anything any more.
  void stop() {
    is_at_end_ = true;
    size_ = 0;
  }

  /// Goes on with what was waited for; false: errno tells why it cannot.
  [[nodiscard]] bool go_on() { return size_ > 0 ? write() : read(); }

 private:
  [[nodiscard]] static bool is_harmless() { return errno == EINTR || errno == EAGAIN; }

  bool read() {
    const ssize_t count = ::read(from_, buffer_.data(), buffer_.size());
    // A reset is how a stream ends whose other side has gone in the midst of something.
    if (count == 0 || (count < 0 && errno == ECONNRESET)) is_at_end_ = true;
    if (count > 0) size_ = static_cast<std::size_t>(count);
    return count >= 0 || is_at_end_ || is_harmless();
  }

  bool write() {
    const ssize_t count = ::write(to_, buffer_.data() + written_, size_ - written_);
    if (count < 0) return is_harmless();
    written_ += static_cast<std::size_t>(count);
    if (written_ == size_) written_ = size_ = 0;
    return true;
  }

  int from_;
  int to_;
  std::array<char, buffer_bytes> buffer_{};
  std::size_t size_ = 0;
  std::size_t written_ = 0;
  bool is_at_end_ = false;
};

}  // namespace

proto::Result<Descriptor> connect_to_agent(const std::filesystem::path& state_dir) {
  const auto path = SocketPath::open(state_dir);
  if (!path) return tl::unexpected<proto::Error>(path.error());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = path->text();
  std::memcpy(address.sun_path, text.c_str(), std::min(text.size() + 1, sizeof address.sun_path));
  const bool is_connected =
      socket.is_open() && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (!is_connected) return proto::fail(describe_errno("cannot connect to the agent in " + state_dir.string()));
  return socket;
}

proto::Result<void> join_streams(int input, int output, int socket) {
  Stream to_agent(input, socket);
  Stream from_agent(socket, output);
  bool is_end_told = false;
  while (!from_agent.is_over()) {
    if (to_agent.is_over() && !std::exchange(is_end_told, true)) ::shutdown(socket, SHUT_WR);
    std::array<pollfd, 2> items{to_agent.wanted(), from_agent.wanted()};
    if (::poll(items.data(), items.size(), -1) < 0 && errno != EINTR) return proto::fail(describe_errno("cannot wait"));
    if (items[0].revents != 0 && !to_agent.go_on()) {
      if (errno != EPIPE) return proto::fail(describe_errno("cannot hand on standard input"));
      to_agent.stop();  // the agent has gone; its last words still count
    }
    if (items[1].revents != 0 && !from_agent.go_on()) {
      return proto::fail(describe_errno("cannot hand on what the agent says"));
    }
  }
  return {};
}

}  // namespace lathe::agent
