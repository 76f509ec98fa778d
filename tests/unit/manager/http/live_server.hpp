// A server on a free port with a loop of its own, and a client that speaks raw HTTP to it.
#pragma once

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http/server.hpp"

namespace lathe::manager::testing {

using boost::asio::ip::tcp;
namespace http = boost::beast::http;

struct ClientResponse {
  unsigned status = 0;
  http::fields headers;
  std::string body;

  std::string header(std::string_view name) const {
    const auto found = headers.find(boost::beast::string_view(name.data(), name.size()));
    return found == headers.end() ? "" : std::string(found->value().data(), found->value().size());
  }
};

/// Blocking; gives up after ten seconds of silence.
class Client {
 public:
  explicit Client(std::uint16_t port) : context_(std::make_unique<boost::asio::io_context>()), socket_(*context_) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), port});
    const timeval limit{10, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  void send(std::string_view bytes) { boost::asio::write(socket_, boost::asio::buffer(bytes)); }

  /// False when the server takes no more.
  bool try_send(std::string_view bytes) {
    boost::system::error_code error;
    boost::asio::write(socket_, boost::asio::buffer(bytes), error);
    return !error;
  }

  void request(std::string_view method, std::string_view target, std::string_view headers = "",
               std::string_view body = "") {
    std::string text =
        std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers);
    if (!body.empty() || method == "POST" || method == "PATCH")
      text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send(text + "\r\n" + std::string(body));
  }

  ClientResponse receive(bool is_head = false) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    parser.skip(is_head);
    http::read(socket_, buffer_, parser);
    auto message = parser.release();
    return {message.result_int(), message.base(), message.body()};
  }

  ClientResponse ask(std::string_view method, std::string_view target, std::string_view headers = "",
                     std::string_view body = "") {
    request(method, target, headers, body);
    return receive(method == "HEAD");
  }

  /// Everything up to and including `mark`, as it came over the wire.
  std::string read_until(std::string_view mark) {
    while (text_.find(mark) == text_.npos) {
      std::array<char, 4096> bytes;
      text_.append(bytes.data(), socket_.read_some(boost::asio::buffer(bytes)));
    }
    const auto end = text_.find(mark) + mark.size();
    std::string taken = text_.substr(0, end);
    text_.erase(0, end);
    return taken;
  }

  /// True when the server has ended the connection.
  bool is_closed() {
    std::array<char, 4096> bytes;
    boost::system::error_code error;
    while (!error) socket_.read_some(boost::asio::buffer(bytes), error);
    return error == boost::asio::error::eof || error == boost::asio::error::connection_reset;
  }

  tcp::socket& socket() { return socket_; }

 private:
  std::unique_ptr<boost::asio::io_context> context_;
  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  std::string text_;
};

class LiveServer {
 public:
  explicit LiveServer(HttpHandler handler, HttpLimits limits = {}, HttpGate gate = {}, TlsContext tls = {})
      : work_(loop_.get_executor()),
        server_(loop_.get_executor(), limits, HttpService{std::move(handler), std::move(gate)}) {
    server_.use_tls(std::move(tls));
    port_ = server_.listen("127.0.0.1", 0).value().port();
    server_.start();
    thread_ = std::thread([this] { loop_.run(); });
  }

  ~LiveServer() {
    stop();
    work_.reset();
    loop_.stop();
    thread_.join();
  }

  void stop(std::chrono::milliseconds grace = std::chrono::milliseconds(2000)) {
    boost::asio::co_spawn(loop_, server_.shutdown(grace), boost::asio::use_future).get();
  }

  /// Runs on the loop, where everything of the server lives, and waits for it.
  template <class Function>
  void on_loop(Function function) {
    std::promise<void> done;
    boost::asio::post(loop_, [&] {
      function();
      done.set_value();
    });
    done.get_future().get();
  }

  std::uint16_t port() const { return port_; }
  boost::asio::io_context& loop() { return loop_; }
  std::size_t connections() {
    std::size_t count = 0;
    on_loop([&] { count = server_.connections(); });
    return count;
  }

 private:
  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  HttpServer server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace lathe::manager::testing
