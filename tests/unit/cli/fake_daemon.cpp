#include "fake_daemon.hpp"

#include <utility>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace lathe::cli {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

FakeRequest to_request(const http::request<http::string_body>& message) {
  return {std::string(message.method_string()), std::string(message.target()), message.body(),
          std::string(message["Last-Event-ID"]), std::string(message["Authorization"])};
}

}  // namespace

FakeDaemon::FakeDaemon(Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener_, 16), 0);
  EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

FakeDaemon::~FakeDaemon() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);  // makes accept return
  thread_.join();
  ::close(listener_);
}

std::vector<FakeRequest> FakeDaemon::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

void FakeDaemon::serve() {
  asio::io_context context;
  while (!stopping_) {
    const int accepted = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) continue;
    asio::ip::tcp::socket socket(context, asio::ip::tcp::v4(), accepted);
    boost::beast::flat_buffer buffer;
    http::request<http::string_body> message;
    boost::system::error_code error;
    http::read(socket, buffer, message, error);
    if (error) continue;
    const FakeRequest request = to_request(message);
    {
      const std::scoped_lock lock(mutex_);
      requests_.push_back(request);
    }
    const FakeAnswer answer = handler_(request);
    http::response<http::string_body> response(static_cast<http::status>(answer.status), 11);
    response.set(http::field::content_type, answer.content_type);
    response.body() = answer.body;
    response.keep_alive(false);
    response.prepare_payload();
    http::write(socket, response, error);
    socket.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  }
}

}  // namespace lathe::cli
