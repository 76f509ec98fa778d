#include "warm_request.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include <lathe/proto/warm_start.hpp>

namespace lathe::trial {
namespace {

using proto::LaunchReport;
using proto::LaunchStep;
using proto::WarmDescriptor;
using DescriptorList = std::array<int, proto::warm_descriptors>;

constexpr int kNotStarted = 127;

enum class Received { Request, Other, End };

/// One message. A request's descriptors are in `list`; those of anything else are closed.
Received receive_message(int socket, DescriptorList& list) {
  char word = 0;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof list)> space{};
  iovec content{&word, 1};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  ssize_t count = 0;
  do count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (count < 0 && errno == EINTR);
  if (count <= 0) return Received::End;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return Received::Other;
  const std::size_t passed = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  list.fill(-1);
  std::memcpy(list.data(), CMSG_DATA(header), passed * sizeof(int));
  if (word == proto::warm_request && passed == list.size()) return Received::Request;
  for (const int descriptor : list) {
    if (descriptor >= 0) ::close(descriptor);
  }
  return Received::Other;
}

/// The whole file, from its start: the offset is shared with whoever wrote it.
std::optional<std::string> content_of(int file) {
  struct stat found {};
  if (::fstat(file, &found) != 0) return std::nullopt;
  std::string text(static_cast<std::size_t>(found.st_size), '\0');
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::pread(file, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    done += static_cast<std::size_t>(count);
  }
  return text;
}

bool replace_environment(int file) {
  const auto text = content_of(file);
  if (!text || ::clearenv() != 0) return false;
  for (std::string_view rest = *text; !rest.empty();) {
    const std::string_view variable = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), variable.size() + 1));
    const std::size_t equals = variable.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    const std::string name(variable.substr(0, equals));
    const std::string value(variable.substr(equals + 1));
    if (::setenv(name.c_str(), value.c_str(), 1) != 0) return false;
  }
  return true;
}

bool redirect(int output, int error_output) {
  const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const bool redirected = input >= 0 && ::dup2(input, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
                          ::dup2(error_output, STDERR_FILENO) >= 0;
  if (input >= 0) ::close(input);
  return redirected;
}

[[noreturn]] void give_up(int report_pipe, LaunchStep step, int code) {
  const LaunchReport report{step, code};
  [[maybe_unused]] const ssize_t sent = ::write(report_pipe, &report, sizeof report);
  ::_exit(kNotStarted);
}

bool pass_gate(int gate) {
  if (::send(gate, &proto::warm_hello, 1, MSG_NOSIGNAL) != 1) return false;
  char pass = 0;
  ssize_t count = 0;
  do count = ::recv(gate, &pass, 1, 0);
  while (count < 0 && errno == EINTR);
  return count == 1;
}

}  // namespace

std::optional<WarmRequest> WarmRequest::receive(int socket) {
  DescriptorList list{};
  for (;;) {
    const Received received = receive_message(socket, list);
    if (received == Received::End) return std::nullopt;
    if (received == Received::Other) continue;
    const auto passed = [&list](WarmDescriptor which) { return list.at(static_cast<std::size_t>(which)); };
    return WarmRequest({passed(WarmDescriptor::WorkingDirectory), passed(WarmDescriptor::StandardOutput),
                        passed(WarmDescriptor::StandardError), passed(WarmDescriptor::Environment),
                        passed(WarmDescriptor::Gate), passed(WarmDescriptor::ExitRecord),
                        passed(WarmDescriptor::KeeperProgram)});
  }
}

WarmRequest::WarmRequest(WarmRequest&& other) noexcept : descriptors_(std::exchange(other.descriptors_, {})) {}

WarmRequest::~WarmRequest() {
  const auto& [directory, output, error_output, environment, gate, record, program] = descriptors_;
  for (const int descriptor : {directory, output, error_output, environment, gate, record, program}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

void WarmRequest::refuse(const std::string& reason) const {
  const std::string text = proto::warm_refusal + reason;
  [[maybe_unused]] const ssize_t sent = ::send(descriptors_.gate, text.data(), text.size(), MSG_NOSIGNAL);
}

void WarmRequest::become_trial(int report_pipe) const {
  ::setpgid(0, 0);
  if (!pass_gate(descriptors_.gate)) give_up(report_pipe, LaunchStep::Gate, 0);
  if (::fchdir(descriptors_.working_directory) != 0) give_up(report_pipe, LaunchStep::Directory, errno);
  if (!replace_environment(descriptors_.environment) ||
      !redirect(descriptors_.standard_output, descriptors_.standard_error)) {
    give_up(report_pipe, LaunchStep::Descriptors, errno);
  }
  ::close(report_pipe);
}

void WarmRequest::become_keeper(pid_t trial, int report_pipe) const {
  if (trial < 0) ::_exit(kNotStarted);
  ::setpgid(trial, trial);
  // First out of each other's way; without close-on-exec then.
  constexpr int kAside = 64;
  const int record = ::fcntl(descriptors_.exit_record, F_DUPFD_CLOEXEC, kAside);
  const int report = ::fcntl(report_pipe, F_DUPFD_CLOEXEC, kAside);
  const int program = ::fcntl(descriptors_.keeper_program, F_DUPFD_CLOEXEC, kAside);
  if (::dup2(record, proto::keeper_record_descriptor) >= 0 && ::dup2(report, proto::keeper_report_descriptor) >= 0) {
    const std::string pid = std::to_string(trial);
    const char* const arguments[] = {"lathe-keeper", proto::keeper_option.data(), pid.c_str(), nullptr};
    const char* const environment[] = {nullptr};
    ::syscall(SYS_execveat, program, "", arguments, environment, AT_EMPTY_PATH);
  }
  // Unkept it could not be told how the trial ends.
  ::kill(trial, SIGKILL);
  ::_exit(kNotStarted);
}

}  // namespace lathe::trial
