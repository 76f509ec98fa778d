#include "children.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <utility>

namespace lathe::agent {
namespace {

/// A child of ours that has ended and is not reaped; pid 0: none.
siginfo_t peek_child() {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) info.si_pid = 0;
  return info;
}

}  // namespace

Children::Children(boost::asio::io_context& io) : signals_(io, SIGCHLD) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  wait();
}

void Children::when_ended(pid_t child, Ended ended) {
  asked_[child] = std::move(ended);
}

void Children::forget(pid_t child) {
  asked_.erase(child);
}

void Children::wait() {
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    reap();
    wait();
  });
}

void Children::reap() {
  for (siginfo_t child = peek_child(); child.si_pid != 0; child = peek_child()) {
    if (const auto asked = asked_.extract(child.si_pid); !asked.empty()) asked.mapped()(child);
    ::waitpid(child.si_pid, nullptr, 0);
  }
}

}  // namespace lathe::agent
