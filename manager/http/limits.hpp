// How much one client may ask of the server.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace lathe::manager {

struct HttpLimits {
  std::size_t header_bytes = 16 * 1024;    ///< request line and headers; beyond: 431
  std::uint64_t body_bytes = 16ULL << 20;  ///< of a request; beyond: 413
  /// After a refusal the rest of the request is read and thrown away up to this size and time: closing with unread
  /// bytes would reset the connection, and the client would never see the answer.
  std::uint64_t drain_bytes = 256ULL << 20;
  std::chrono::milliseconds drain_time{5000};
  std::chrono::milliseconds handshake_time{10000};  ///< of TLS
  std::chrono::milliseconds idle_time{60000};       ///< between two requests of a connection, headers included
  std::chrono::milliseconds read_time{30000};       ///< without any byte of a body
  std::chrono::milliseconds write_time{30000};      ///< until the client has taken one piece of an answer
  std::size_t connections = 256;                    ///< at a time; one more gets a 503
};

}  // namespace lathe::manager
