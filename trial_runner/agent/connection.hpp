// The stream to one daemon: frames in, frames out.
//
// Loop thread only. Outgoing frames are not queued here: whenever the socket takes more, the handler is asked for the
// next ones, so a daemon that does not read costs no memory.
#pragma once

#include <array>
#include <memory>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>

#include <lathe/proto/frames.hpp>

namespace lathe::agent {

class ConnectionHandler {
 public:
  virtual void on_message(const proto::ToAgent& message) = 0;
  /// The next frames to send, behind those given before; empty: none for now.
  [[nodiscard]] virtual std::string next_frames() = 0;
  /// The stream has ended or is broken. Not called after close().
  virtual void on_disconnected(const std::string& reason) = 0;

 protected:
  ~ConnectionHandler() = default;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  /// `handler` must live until close() or on_disconnected().
  Connection(Socket socket, ConnectionHandler& handler) : socket_(std::move(socket)), handler_(&handler) {}

  /// Sends what there is and reads from now on.
  void start();
  /// There may be more to send.
  void wake();
  void close();

 private:
  void read();
  void take_frames();
  void fail(const std::string& reason);

  Socket socket_;
  ConnectionHandler* handler_;
  proto::FrameReader frames_;
  std::array<char, 65536> input_{};
  std::string output_;
  bool is_writing_ = false;
};

}  // namespace lathe::agent
