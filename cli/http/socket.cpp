#include "http/socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>

#include <poll.h>
#include <sys/socket.h>
#include <boost/asio/error.hpp>

namespace lathe::cli {
namespace {

using boost::asio::ip::tcp;

/// Milliseconds that poll may sleep; -1 for ever, rounded up so that a wake-up is never early.
int poll_timeout(Socket::Clock::time_point deadline) {
  if (deadline == Socket::Clock::time_point::max()) return -1;
  const auto now = Socket::Clock::now();
  if (deadline <= now) return 0;  // also keeps the difference of extreme times from overflowing
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<int>(std::min<std::int64_t>(left, INT_MAX));
}

boost::system::error_code last_error(int number) {
  return {number, boost::system::system_category()};
}

}  // namespace

void Socket::connect(const std::string& host, const std::string& port, ErrorCode& error) {
  tcp::resolver resolver(context_);
  const auto endpoints = resolver.resolve(host, port, error);
  if (error) return;
  for (const auto& endpoint : endpoints) {
    connect_to(endpoint, error);
    if (!error || error == boost::asio::error::operation_aborted) return;
  }
}

void Socket::connect_to(const tcp::endpoint& endpoint, ErrorCode& error) {
  ErrorCode ignored;
  socket_.close(ignored);
  socket_.open(endpoint.protocol(), error);
  if (error) return;
  socket_.non_blocking(true, error);
  if (error) return;
  // Asio's own connect would wait for ever, whatever the mode of the socket.
  if (::connect(socket_.native_handle(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0) return;
  if (errno != EINPROGRESS) {
    error = last_error(errno);
    return;
  }
  wait(Ready::ToWrite, error);
  if (error) return;
  int failure = 0;
  socklen_t size = sizeof failure;
  ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &failure, &size);
  if (failure != 0) error = last_error(failure);
}

void Socket::wait(Ready ready, ErrorCode& error) {
  const short events = ready == Ready::ToRead ? POLLIN : POLLOUT;
  const Readiness woken = wait_for_descriptors(socket_.native_handle(), events, wake_descriptor_, deadline_);
  error = {};
  if (woken.second)
    error = boost::asio::error::operation_aborted;
  else if (!woken.first)
    error = boost::asio::error::timed_out;
}

Readiness wait_for_descriptors(int first, short events, int second, std::chrono::steady_clock::time_point deadline) {
  std::array<pollfd, 2> waited{pollfd{first, events, 0}, pollfd{second, POLLIN, 0}};
  int count = 0;
  do {
    count = ::poll(waited.data(), waited.size(), poll_timeout(deadline));
  } while (count < 0 && errno == EINTR);
  if (count <= 0) return {};
  return {waited[0].revents != 0, waited[1].revents != 0};
}

}  // namespace lathe::cli
