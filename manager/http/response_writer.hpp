// Answers as bytes on a connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "http/body_stream.hpp"
#include "http/connection.hpp"
#include "http/response.hpp"

namespace lathe::manager {

/// How the end of a body is told to the client.
enum class Framing { Length, Chunked, Close };

/// Status line and headers, the blank line included. `length` is written for Framing::Length.
[[nodiscard]] std::string header_text(const HttpResponse& response, Framing framing, std::uint64_t length,
                                      bool keep_alive);

/// The body of a streamed answer on its connection.
class SocketBody : public BodyStream {
 public:
  SocketBody(Connection& connection, Framing framing, std::chrono::milliseconds write_time)
      : connection_(connection), framing_(framing), write_time_(write_time) {}

  [[nodiscard]] boost::asio::awaitable<void> write(std::string_view piece) override;
  /// What ends the body; nothing unless chunked.
  [[nodiscard]] boost::asio::awaitable<void> finish();

  /// False when a piece was cut off in the middle: nothing sensible can follow on this connection.
  [[nodiscard]] bool is_intact() const { return !is_writing_; }
  [[nodiscard]] std::uint64_t written() const { return written_; }

 private:
  Connection& connection_;
  Framing framing_;
  std::chrono::milliseconds write_time_;
  std::uint64_t written_ = 0;
  bool is_writing_ = false;
};

}  // namespace lathe::manager
