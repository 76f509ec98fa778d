// TLS towards the daemon: who it must prove to be, and a stream that is encrypted or not.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "http/socket.hpp"
#include "outcome.hpp"

namespace lathe::cli {

/// Whom the client believes.
using TlsTrust = std::shared_ptr<boost::asio::ssl::context>;

/// TLS 1.2 and later. Trusts the authorities in `ca_file` (PEM) and no others; empty: those of the system.
[[nodiscard]] Outcome<TlsTrust> make_trust(const std::string& ca_file);

/// A connection to the daemon: Beast's SyncStream over a Socket, with TLS or without.
class Transport {
 public:
  [[nodiscard]] Socket& socket() { return socket_; }

  /// Encrypts the connected socket. The other side must have a certificate of a trusted authority for `host`, a name or
  /// an address. Interrupted and timed out as reads are; otherwise the failure says what was wrong with it.
  [[nodiscard]] Outcome<void> secure(TlsTrust trust, const std::string& host, Socket::ErrorCode& error);

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, Socket::ErrorCode& error) {
    return tls_ ? tls_->read_some(buffers, error) : socket_.read_some(buffers, error);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, Socket::ErrorCode& error) {
    return tls_ ? tls_->write_some(buffers, error) : socket_.write_some(buffers, error);
  }
  // The throwing halves of SyncStream.
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    return tls_ ? tls_->read_some(buffers) : socket_.read_some(buffers);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    return tls_ ? tls_->write_some(buffers) : socket_.write_some(buffers);
  }

 private:
  Socket socket_;
  TlsTrust trust_;
  std::optional<boost::asio::ssl::stream<Socket&>> tls_;
};

}  // namespace lathe::cli
