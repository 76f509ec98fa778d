#include "daemon_link.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace lathe::agent {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t batch_bytes = 256 * 1024;  ///< of frames in one write
constexpr std::chrono::milliseconds retry_interval{1000};

/// Asio leaves its sockets open across an exec.
void close_on_exec(int fd) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

}  // namespace

DaemonLink::DaemonLink(asio::io_context& io, SocketPath socket, const EventLog& events, LinkHandler& handler,
                       spdlog::logger& log)
    : socket_(std::move(socket)), events_(events), handler_(handler), log_(log), acceptor_(io), accept_timer_(io) {}

proto::Result<void> DaemonLink::listen() {
  const std::string path = socket_.text();
  // The state folder's lock is ours, so a socket that is there belongs to nobody.
  ::unlink(path.c_str());
  error_code error;
  acceptor_.open({}, error);
  if (!error) close_on_exec(acceptor_.native_handle());
  if (!error) acceptor_.bind(path, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return proto::fail("cannot listen on the socket in the state folder: " + error.message());
  accept();
  return {};
}

void DaemonLink::close() {
  ::unlink(socket_.text().c_str());
}

void DaemonLink::accept() {
  acceptor_.async_accept([this](const error_code& error, Connection::Socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      greet(std::move(socket));
      return accept();
    }
    log_.error("cannot accept a connection: {}", error.message());
    accept_timer_.expires_after(retry_interval);
    accept_timer_.async_wait([this](const error_code& aborted) {
      if (!aborted) accept();
    });
  });
}

void DaemonLink::greet(Connection::Socket socket) {
  close_on_exec(socket.native_handle());
  if (connection_) connection_->close();
  connection_ = std::make_shared<Connection>(std::move(socket), static_cast<ConnectionHandler&>(*this));
  is_greeted_ = false;
  sent_sequence_ = 0;
  report_.clear();
  notes_.clear();
  texts_.clear();
  log_.info("a daemon has connected; {} events wait for it", events_.spool().unacknowledged().size());
  handler_.on_connected();
  connection_->start();
}

void DaemonLink::wake() {
  if (connection_) connection_->wake();
}

void DaemonLink::send(const proto::HostReport& report) {
  report_ = proto::encode_frame(proto::FromAgent(report));
  wake();
}

void DaemonLink::send(const proto::TrialNote& note) {
  if (!connection_) return;
  notes_[note.trial_id] = proto::encode_frame(proto::FromAgent(note));
  wake();
}

void DaemonLink::send(const proto::LogText& text) {
  if (!connection_) return;
  texts_.push_back(text);
  wake();
}

std::string DaemonLink::next_frames() {
  std::string frames;
  if (!is_greeted_) {
    const auto hello = handler_.hello();
    if (!hello) return frames;
    is_greeted_ = true;
    frames = proto::encode_frame(proto::FromAgent(*hello));
  }
  frames += std::exchange(report_, {});
  for (const auto& [trial_id, frame] : std::exchange(notes_, {})) frames += frame;
  frames += events_.frames_after(sent_sequence_, batch_bytes);
  if (!texts_.empty()) {
    frames += proto::encode_frame(proto::FromAgent(std::move(texts_.front())));
    texts_.pop_front();
  }
  return frames;
}

void DaemonLink::on_disconnected(const std::string& reason) {
  log_.info("the daemon has gone: {}", reason);
  connection_.reset();
  handler_.on_disconnected();
}

}  // namespace lathe::agent
