// The way to the daemon: a Unix socket that takes one connection at a time, of which each begins with a Hello.
//
// Loop thread only. Connections come and go; what is to be sent waits in the event log for the next one.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <lathe/proto/frames.hpp>
#include <lathe/proto/result.hpp>

#include "connection.hpp"
#include "event_log.hpp"
#include "socket_path.hpp"

namespace lathe::agent {

class LinkHandler {
 public:
  virtual void on_message(const proto::ToAgent& message) = 0;
  /// A connection was made.
  virtual void on_connected() = 0;
  virtual void on_disconnected() = 0;
  /// How to greet; nullopt: not known yet, `wake` will tell when it is.
  [[nodiscard]] virtual std::optional<proto::Hello> hello() = 0;

 protected:
  ~LinkHandler() = default;
};

class DaemonLink final : private ConnectionHandler {
 public:
  /// `events` and `handler` must outlive it.
  DaemonLink(boost::asio::io_context& io, SocketPath socket, const EventLog& events, LinkHandler& handler,
             spdlog::logger& log);

  /// Takes connections from now on.
  [[nodiscard]] proto::Result<void> listen();
  /// Takes no more: removes the socket.
  void close();

  [[nodiscard]] bool is_connected() const { return connection_ != nullptr; }
  /// There may be more to send.
  void wake();
  /// Sends the report once there was a Hello; a newer one takes the place of one not yet sent.
  void send(const proto::HostReport& report);
  /// Likewise, for each trial.
  void send(const proto::TrialNote& note);
  /// Behind the events that wait, one by one.
  void send(const proto::LogText& text);

 private:
  void accept();
  void greet(Connection::Socket socket);
  void on_message(const proto::ToAgent& message) override { handler_.on_message(message); }
  [[nodiscard]] std::string next_frames() override;
  void on_disconnected(const std::string& reason) override;

  SocketPath socket_;
  const EventLog& events_;
  LinkHandler& handler_;
  spdlog::logger& log_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  boost::asio::steady_timer accept_timer_;
  std::shared_ptr<Connection> connection_;
  bool is_greeted_ = false;                   ///< this connection has got its Hello
  std::uint64_t sent_sequence_ = 0;           ///< of the last event given to this connection
  std::string report_;                        ///< frame that waits to be sent
  std::map<std::string, std::string> notes_;  ///< by trial: frames that wait to be sent
  std::deque<proto::LogText> texts_;          ///< that wait to be sent
};

}  // namespace lathe::agent
