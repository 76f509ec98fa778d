#include "http/server.hpp"

#include <fcntl.h>

#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace lathe::manager {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto with_error = asio::as_tuple(asio::use_awaitable);
/// Connections beyond the limit that are told so at the same time; more than these are closed without a word.
constexpr std::size_t turned_away_at_once = 32;

/// A trial agent that the daemon starts outlives it, and must not keep the port or a client's connection.
void keep_from_children(int descriptor) {
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

proto::Error listen_error(const error_code& error, const std::string& address, std::uint16_t port) {
  if (error == asio::error::address_in_use) {
    return {fmt::format("port {} is in use by another program; choose another with --port", port), "port", {}, 0};
  }
  if (error == asio::error::access_denied) {
    return {fmt::format("this user may not listen on port {}; choose one above 1023 with --port", port), "port", {}, 0};
  }
  return {fmt::format("cannot listen on {} port {}: {}", address, port, error.message()), "listen", {}, 0};
}

}  // namespace

HttpServer::HttpServer(asio::any_io_executor loop, HttpLimits limits, HttpService service)
    : loop_(loop), limits_(limits), service_(std::move(service)), acceptor_(loop) {}

HttpServer::~HttpServer() = default;

proto::Result<tcp::endpoint> HttpServer::listen(const std::string& address, std::uint16_t port) {
  error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  if (error) return proto::fail("'" + address + "' is not an IP address", "listen");
  const tcp::endpoint wanted(parsed, port);
  acceptor_.open(wanted.protocol(), error);
  if (!error) keep_from_children(acceptor_.native_handle());
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(wanted, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    error_code ignored;
    acceptor_.close(ignored);
    return tl::unexpected(listen_error(error, address, port));
  }
  return acceptor_.local_endpoint();
}

void HttpServer::start() {
  asio::co_spawn(loop_, accept_loop(), asio::detached);
}

asio::awaitable<void> HttpServer::accept_loop() {
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(with_error);
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      // Out of descriptors, or the client left while it waited: neither is a reason to stop serving.
      spdlog::warn("cannot accept a connection: {}", error.message());
      asio::steady_timer pause(loop_, std::chrono::milliseconds(100));
      co_await pause.async_wait(with_error);
      continue;
    }
    keep_from_children(socket.native_handle());
    if (sessions_.size() >= limits_.connections + turned_away_at_once) continue;
    asio::co_spawn(loop_, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> HttpServer::serve(tcp::socket socket) {
  const bool is_one_too_many = sessions_.size() >= limits_.connections;
  const auto session = std::make_shared<HttpSession>(std::move(socket), tls_, limits_, service_);
  const auto place = sessions_.insert(sessions_.end(), session);
  try {
    if (is_one_too_many) {
      co_await session->turn_away();
    } else {
      co_await session->run();
    }
  } catch (const boost::system::system_error& gone) {
    spdlog::debug("a connection broke: {}", gone.what());
  } catch (const std::exception& failure) {
    spdlog::error("a connection failed: {}", failure.what());
  }
  sessions_.erase(place);
}

asio::awaitable<void> HttpServer::shutdown(std::chrono::milliseconds grace) {
  error_code ignored;
  acceptor_.close(ignored);
  for (const auto& session : sessions_) session->stop();
  co_await wait_until_empty(grace);
  for (const auto& session : sessions_) session->abort();
  co_await wait_until_empty(std::chrono::milliseconds(1000));
}

asio::awaitable<void> HttpServer::wait_until_empty(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  asio::steady_timer pause(loop_);
  while (!sessions_.empty() && std::chrono::steady_clock::now() < deadline) {
    pause.expires_after(std::chrono::milliseconds(5));
    co_await pause.async_wait(with_error);
  }
}

}  // namespace lathe::manager
