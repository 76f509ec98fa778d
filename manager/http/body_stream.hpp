// Where a handler writes an answer that it does not hold in memory. Loop thread only.
#pragma once

#include <functional>
#include <string_view>

#include <boost/asio/awaitable.hpp>

namespace lathe::manager {

/// The body of one answer, written piece by piece. A write returns when the kernel has taken the piece, so that a
/// producer is as fast as its client; it throws boost::system::system_error when the client is gone or takes nothing
/// for too long.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  [[nodiscard]] virtual boost::asio::awaitable<void> write(std::string_view piece) = 0;
};

/// Writes the whole body and returns; it may be cancelled at any co_await.
using BodyProducer = std::function<boost::asio::awaitable<void>(BodyStream&)>;

}  // namespace lathe::manager
