// A blocking TCP socket whose every wait ends: at a deadline, or when something else (a signal, a key) wants attention.
//
// Fulfils Beast's SyncStream, so Beast's plain read and write functions work on it. A wait that ended early reports
// boost::asio::error::timed_out or operation_aborted; the operation may then be called again and goes on where it was.
#pragma once

#include <chrono>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

namespace lathe::cli {

/// What ended a wait_for_descriptors.
struct Readiness {
  bool first = false;   ///< the first descriptor is ready (or failed: using it will tell)
  bool second = false;  ///< the second one is
};

/// Waits until one of two descriptors is ready (-1: none), or the deadline. `events` are poll's, for the first; the
/// second is waited for to become readable.
[[nodiscard]] Readiness wait_for_descriptors(int first, short events, int second,
                                             std::chrono::steady_clock::time_point deadline);

class Socket {
 public:
  using Clock = std::chrono::steady_clock;
  using ErrorCode = boost::system::error_code;
  // What a layer of TLS above asks for.
  using lowest_layer_type = boost::asio::ip::tcp::socket;
  using executor_type = lowest_layer_type::executor_type;
  [[nodiscard]] lowest_layer_type& lowest_layer() { return socket_; }

  /// Tries every address of `host` in turn, each until the deadline.
  void connect(const std::string& host, const std::string& port, ErrorCode& error);

  /// Applies to every later wait.
  void expires_at(Clock::time_point deadline) { deadline_ = deadline; }
  /// A descriptor that ends waits with operation_aborted when it becomes readable; -1: none.
  void wake_on(int descriptor) { wake_descriptor_ = descriptor; }

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, ErrorCode& error) {
    return retry(Ready::ToRead, error, [&](ErrorCode& e) { return socket_.read_some(buffers, e); });
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, ErrorCode& error) {
    return retry(Ready::ToWrite, error, [&](ErrorCode& e) { return socket_.write_some(buffers, e); });
  }

  // The throwing halves of SyncStream.
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    return checked([&](ErrorCode& e) { return read_some(buffers, e); });
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    return checked([&](ErrorCode& e) { return write_some(buffers, e); });
  }

 private:
  enum class Ready { ToRead, ToWrite };

  void connect_to(const boost::asio::ip::tcp::endpoint& endpoint, ErrorCode& error);
  void wait(Ready ready, ErrorCode& error);

  template <class Operation>
  std::size_t retry(Ready ready, ErrorCode& error, Operation operation) {
    while (true) {
      const std::size_t bytes = operation(error);
      if (error != boost::asio::error::would_block) return bytes;
      wait(ready, error);
      if (error) return 0;
    }
  }
  template <class Operation>
  static std::size_t checked(Operation operation) {
    ErrorCode error;
    const std::size_t bytes = operation(error);
    if (error) throw boost::system::system_error(error);
    return bytes;
  }

  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_{context_};
  Clock::time_point deadline_ = Clock::time_point::max();
  int wake_descriptor_ = -1;
};

}  // namespace lathe::cli
