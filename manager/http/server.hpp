// Listens, and gives every connection a session of its own. Loop thread only.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <lathe/proto/result.hpp>

#include "http/limits.hpp"
#include "http/session.hpp"

namespace lathe::manager {

class HttpServer {
 public:
  /// The loop must not run once the server is destroyed, unless shutdown() has returned.
  HttpServer(boost::asio::any_io_executor loop, HttpLimits limits, HttpService service);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Takes the port; who connects waits until start(). Port 0 picks a free one. A port in use is an error whose `field`
  /// is "port".
  [[nodiscard]] proto::Result<boost::asio::ip::tcp::endpoint> listen(const std::string& address, std::uint16_t port);

  /// Connections from now on speak TLS with this certificate; those that exist go on as they are.
  void use_tls(TlsContext tls) { tls_ = std::move(tls); }

  /// Begins to accept.
  void start();

  /// Stops accepting, ends idle connections and live streams, lets answers in work finish, and after `grace` cuts off
  /// what is left.
  [[nodiscard]] boost::asio::awaitable<void> shutdown(std::chrono::milliseconds grace);

  [[nodiscard]] std::size_t connections() const { return sessions_.size(); }

 private:
  boost::asio::awaitable<void> accept_loop();
  boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);
  boost::asio::awaitable<void> wait_until_empty(std::chrono::milliseconds limit);

  boost::asio::any_io_executor loop_;
  HttpLimits limits_;
  HttpService service_;
  TlsContext tls_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::list<std::shared_ptr<HttpSession>> sessions_;
};

}  // namespace lathe::manager
