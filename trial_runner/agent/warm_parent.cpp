#include "warm_parent.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <lathe/proto/warm_start.hpp>

#include "child_process.hpp"
#include "launch_environment.hpp"
#include "process_stat.hpp"
#include "stderr_tail.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

using Clock = std::chrono::steady_clock;

struct SocketPair {
  Descriptor ours;
  Descriptor theirs;
};

/// Keeps the borders between messages, and ends when the other side is gone.
proto::Result<SocketPair> make_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return proto::fail(describe_errno("cannot make a pair of sockets"));
  }
  return SocketPair{Descriptor(ends[0]), Descriptor(ends[1])};
}

proto::Result<Descriptor> open_for(const char* path, int flags) {
  Descriptor file(::open(path, flags | O_CLOEXEC));
  if (!file.is_open()) return proto::fail(describe_errno(std::string("cannot open ") + path));
  return file;
}

/// A file in memory: an environment may be larger than a message.
proto::Result<Descriptor> environment_file(const std::map<std::string, std::string>& additions) {
  if (const auto problem = environment_problem(additions)) return proto::fail(*problem);
  std::string text;
  for (const std::string& variable : merged_environment(additions)) text += variable + '\0';
  Descriptor file(::memfd_create("environment", MFD_CLOEXEC));
  if (!file.is_open()) return proto::fail(describe_errno("cannot make a file in memory"));
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t count = ::write(file.get(), text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return proto::fail(describe_errno("cannot write a file in memory"));
    written += static_cast<std::size_t>(count);
  }
  return file;
}

/// Sends one message with descriptors; false: errno tells why not.
bool send_descriptors(int socket, char word, const std::array<int, proto::warm_descriptors>& descriptors) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof descriptors)> space{};
  iovec content{&word, 1};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptors);
  std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof descriptors);
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

bool wait_until_readable(int fd, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd item{fd, POLLIN, 0};
    const int count = ::poll(&item, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (count >= 0 || errno != EINTR) return count > 0;
  }
}

/// A message, and who sent it by the word of the kernel.
struct Answer {
  std::string text;
  pid_t sender = 0;
};

Answer receive_answer(int gate) {
  Answer answer;
  std::array<char, 1024> text{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> space{};
  iovec content{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  const ssize_t count = ::recvmsg(gate, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (count > 0) answer.text.assign(text.data(), static_cast<std::size_t>(count));
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); count > 0 && header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS) continue;
    ucred credentials{};
    std::memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
    answer.sender = credentials.pid;
  }
  return answer;
}

}  // namespace

proto::Result<WarmParent> WarmParent::start(const std::string& shell, const std::string& command) {
  auto pair = make_pair();
  if (!pair) return tl::unexpected<proto::Error>(pair.error());
  auto root = open_for("/", O_PATH | O_DIRECTORY);
  if (!root) return tl::unexpected<proto::Error>(root.error());
  auto output = open_for("/dev/null", O_WRONLY);
  if (!output) return tl::unexpected<proto::Error>(output.error());
  auto error_output = open_for("/dev/null", O_WRONLY);
  if (!error_output) return tl::unexpected<proto::Error>(error_output.error());
  Command server{shell, command, {}, std::move(*root), std::move(*output), std::move(*error_output)};
  server.standard_input = std::move(pair->theirs);
  const auto process = start_child(server);
  if (!process) return tl::unexpected<proto::Error>(process.error());
  return WarmParent(*process, std::move(pair->ours));
}

WarmParent::WarmParent(WarmParent&& other) noexcept
    : pid_(other.pid_),
      control_(std::move(other.control_)),
      is_running_(std::exchange(other.is_running_, false)),
      is_ready_(other.is_ready_) {}

WarmParent::~WarmParent() {
  if (is_running_) ::kill(-pid(), SIGKILL);
}

bool WarmParent::is_ready() {
  char word = 0;
  if (!is_ready_) is_ready_ = ::recv(control_.get(), &word, 1, MSG_DONTWAIT) == 1 && word == proto::warm_ready;
  return is_ready_;
}

tl::expected<KeptProcess, ForkFailure> WarmParent::fork_trial(const Command& command, const Descriptor& exit_record,
                                                              const Descriptor& keeper_program,
                                                              std::chrono::milliseconds patience) {
  const auto failed = [](std::string reason, bool is_refusal = false) {
    return tl::unexpected(ForkFailure{std::move(reason), is_refusal});
  };
  const auto deadline = Clock::now() + patience;
  const auto environment = environment_file(command.environment);
  if (!environment) return failed(environment.error().message);
  auto gate = make_pair();
  if (!gate) return failed(gate.error().message);
  const int yes = 1;
  if (::setsockopt(gate->ours.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0) {
    return failed(describe_errno("cannot ask for process ids"));
  }
  const bool is_sent =
      send_descriptors(control_.get(), proto::warm_request,
                       {command.working_directory.get(), command.standard_output.get(), command.standard_error.get(),
                        environment->get(), gate->theirs.get(), exit_record.get(), keeper_program.get()});
  if (!is_sent) return failed(describe_errno("it takes no request"));
  // With our copy closed, the gate ends when the parent does.
  gate->theirs.reset();
  if (!wait_until_readable(gate->ours.get(), deadline)) {
    return failed("no answer in " + std::to_string(patience.count()) + " ms");
  }
  const Answer answer = receive_answer(gate->ours.get());
  if (answer.text.empty()) return failed("it ended before it answered");
  if (answer.text.front() == proto::warm_refusal) return failed(to_valid_utf8(answer.text.substr(1)), true);
  if (answer.text.front() != proto::warm_hello || answer.sender <= 1 || answer.sender == pid()) {
    return failed("an answer that cannot be understood");
  }
  const auto trial = read_process_stat(answer.sender);
  if (!trial || trial->session <= 1 || trial->session == ::getsid(0) || trial->session == answer.sender) {
    return failed("a trial without a keeper");
  }
  return KeptProcess{static_cast<pid_t>(trial->session), answer.sender, std::move(gate->ours)};
}

}  // namespace lathe::agent
