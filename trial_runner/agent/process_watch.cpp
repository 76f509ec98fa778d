#include "process_watch.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

namespace lathe::agent {
namespace {

constexpr std::chrono::milliseconds poll_interval{100};

int open_pidfd(std::int64_t pid) {
#ifdef SYS_pidfd_open
  return static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0u));
#else
  return -1;
#endif
}

}  // namespace

ProcessWatch::ProcessWatch(boost::asio::io_context& io, ProcessIdentity process, std::function<void()> ended)
    : process_(std::move(process)),
      ended_(std::move(ended)),
      pidfd_(io),
      timer_(io),
      self_(std::make_shared<ProcessWatch*>(this)) {
  const int pidfd = process_.pid > 1 ? open_pidfd(process_.pid) : -1;
  if (pidfd >= 0) pidfd_.assign(pidfd);
  // Looked at behind the open: alive now, it is the one that the descriptor stands for.
  if (!is_alive(process_)) {
    boost::asio::post(io, [weak = std::weak_ptr(self_)] {
      if (const auto self = weak.lock()) (*self)->tell();
    });
  } else if (pidfd >= 0) {
    wait();
  } else {
    poll();
  }
}

void ProcessWatch::signal(int number) {
#ifdef SYS_pidfd_send_signal
  if (pidfd_.is_open()) {
    if (ended_) ::syscall(SYS_pidfd_send_signal, pidfd_.native_handle(), number, nullptr, 0u);
    return;
  }
#endif
  if (ended_ && is_alive(process_)) ::kill(static_cast<pid_t>(process_.pid), number);
}

void ProcessWatch::wait() {
  pidfd_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [weak = std::weak_ptr(self_)](const boost::system::error_code& error) {
                      const auto self = weak.lock();
                      if (!error && self) (*self)->tell();
                    });
}

void ProcessWatch::poll() {
  timer_.expires_after(poll_interval);
  timer_.async_wait([weak = std::weak_ptr(self_)](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self) return;
    if (is_alive((*self)->process_)) return (*self)->poll();
    (*self)->tell();
  });
}

void ProcessWatch::tell() {
  if (const auto ended = std::exchange(ended_, nullptr)) ended();
}

}  // namespace lathe::agent
