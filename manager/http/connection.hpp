// A client's connection, with TLS or without: an AsyncStream for Beast and Asio, with the time limits of tcp_stream.
#pragma once

#include <optional>
#include <utility>

#include <openssl/ssl.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include "http/tls.hpp"

namespace lathe::manager {

class Connection {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;

  /// Without `tls` bytes go as they are; with it, handshake() comes first.
  Connection(boost::asio::ip::tcp::socket socket, TlsContext tls) : tcp_(std::move(socket)), context_(std::move(tls)) {
    if (context_) tls_.emplace(tcp_, *context_);
  }

  [[nodiscard]] bool is_secure() const { return tls_.has_value(); }
  [[nodiscard]] executor_type get_executor() { return tcp_.get_executor(); }
  [[nodiscard]] boost::asio::ip::tcp::socket& socket() { return tcp_.socket(); }
  /// The bytes below TLS, and the time limits of whatever is begun next.
  [[nodiscard]] boost::beast::tcp_stream& tcp() { return tcp_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return tls_ ? tls_->async_read_some(buffers, std::forward<Token>(token))
                : tcp_.async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return tls_ ? tls_->async_write_some(buffers, std::forward<Token>(token))
                : tcp_.async_write_some(buffers, std::forward<Token>(token));
  }
  /// Only with TLS.
  template <class Token>
  auto async_handshake(Token&& token) {
    return tls_->async_handshake(boost::asio::ssl::stream_base::server, std::forward<Token>(token));
  }
  /// Says that nothing more will be sent, without waiting for the client to say the same. Only with TLS.
  template <class Token>
  auto async_farewell(Token&& token) {
    SSL_set_shutdown(tls_->native_handle(), SSL_RECEIVED_SHUTDOWN);
    return tls_->async_shutdown(std::forward<Token>(token));
  }

 private:
  boost::beast::tcp_stream tcp_;
  TlsContext context_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> tls_;
};

}  // namespace lathe::manager
