#include "hosts/agent_link.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace lathe::manager {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

auto with_error(error_code& error) {
  return asio::redirect_error(asio::use_awaitable, error);
}

}  // namespace

/// Shared with the coroutines that run for it, so that it outlives them.
class AgentLink::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(asio::any_io_executor executor, Connector connector, Options options)
      : executor_(std::move(executor)),
        connector_(std::move(connector)),
        options_(std::move(options)),
        pause_timer_(executor_),
        closed_(executor_, asio::steady_timer::time_point::max()) {}

  [[nodiscard]] const std::string& name() const { return options_.name; }
  [[nodiscard]] bool connected() const { return greeted_; }

  void open(Listener listener) {
    listener_ = std::move(listener);
    opened_ = true;
    asio::co_spawn(executor_, run(shared_from_this()), asio::detached);
  }

  void send(const proto::ToAgent& message) {
    if (!greeted_) return;
    if (std::holds_alternative<proto::Shutdown>(message)) last_ = true;
    outgoing_ += proto::encode_frame(message);
    if (!writing_) {
      writing_ = true;
      asio::co_spawn(executor_, write_all(shared_from_this(), connection_), asio::detached);
    }
  }

  asio::awaitable<void> close() {
    closing_ = true;
    listener_ = {};
    pause_timer_.cancel();
    if (socket_) hang_up();
    error_code ignored;
    if (opened_ && !ended_) co_await closed_.async_wait(with_error(ignored));
  }

  /// For the destructor: no waiting; the coroutines end by themselves.
  void abandon() {
    closing_ = true;
    listener_ = {};
    pause_timer_.cancel();
    if (socket_) hang_up();
  }

 private:
  static asio::awaitable<void> run(std::shared_ptr<Core> self) {
    auto pause = self->options_.first_pause;
    while (!self->closing_) {
      proto::Result<Socket> socket = co_await self->connector_();
      if (self->closing_) break;
      std::string why;
      if (socket) {
        self->socket_.emplace(std::move(*socket));
        why = co_await self->converse();
        if (self->was_greeted_) pause = self->options_.first_pause;
      } else {
        why = socket.error().message;
      }
      self->disconnect(why);
      if (self->closing_ || self->last_) break;
      error_code ignored;
      self->pause_timer_.expires_after(self->jittered(pause));
      co_await self->pause_timer_.async_wait(with_error(ignored));
      pause = std::min(pause * 2, self->options_.longest_pause);
    }
    self->ended_ = true;
    self->closed_.cancel();
  }

  std::chrono::milliseconds jittered(std::chrono::milliseconds pause) {
    std::uniform_real_distribution<double> factor(1 - options_.jitter, 1 + options_.jitter);
    return std::chrono::milliseconds(std::lround(static_cast<double>(pause.count()) * factor(random_)));
  }

  /// Reads until the connection ends; returns why it did.
  asio::awaitable<std::string> converse() {
    proto::FrameReader frames;
    std::array<char, kReadBytes> buffer;
    was_greeted_ = false;
    guard_greeting();
    for (;;) {
      error_code error;
      const std::size_t size = co_await socket_->async_read_some(asio::buffer(buffer), with_error(error));
      if (error) {
        if (!was_greeted_ && greeting_late_) co_return "the agent did not greet in time";
        co_return error == asio::error::eof ? "the agent closed the connection" : error.message();
      }
      frames.feed({buffer.data(), size});
      if (auto taken = take_frames(frames); !taken) co_return "bad frame from the agent: " + taken.error().to_string();
    }
  }

  proto::Result<void> take_frames(proto::FrameReader& frames) {
    for (;;) {
      auto frame = frames.next();
      if (!frame) return tl::unexpected(frame.error());
      if (!*frame) return {};
      auto message = proto::decode_from_agent(**frame);
      if (!message) return tl::unexpected(message.error());
      if (auto taken = take(std::move(*message)); !taken) return taken;
    }
  }

  proto::Result<void> take(proto::FromAgent message) {
    if (auto* hello = std::get_if<proto::Hello>(&message)) {
      if (hello->protocol != proto::frame_protocol_version) {
        return proto::fail(
            fmt::format("it speaks protocol {}, this daemon speaks {}; end the agent (pid {}) to have it replaced",
                        hello->protocol, proto::frame_protocol_version, hello->pid));
      }
      greeted_ = was_greeted_ = true;
      if (listener_.connected) listener_.connected(*hello);
      return {};
    }
    if (!greeted_) return proto::fail("an event before Hello");
    if (auto* report = std::get_if<proto::HostReport>(&message)) {
      if (listener_.report) listener_.report(std::move(*report));
    } else if (auto* note = std::get_if<proto::TrialNote>(&message)) {
      if (listener_.note) listener_.note(std::move(*note));
    } else if (auto* text = std::get_if<proto::LogText>(&message)) {
      if (listener_.log_text) listener_.log_text(std::move(*text));
    } else if (auto* event = std::get_if<proto::SequencedEvent>(&message)) {
      if (listener_.event) listener_.event(std::move(*event));
    }
    return {};
  }

  void guard_greeting() {
    greeting_late_ = false;
    auto timer = std::make_shared<asio::steady_timer>(executor_, options_.greeting_timeout);
    greeting_timer_ = timer;
    timer->async_wait([weak = weak_from_this(), timer, connection = connection_](error_code error) {
      const auto self = weak.lock();
      if (error || !self || self->connection_ != connection || self->was_greeted_) return;
      self->greeting_late_ = true;
      self->hang_up();
    });
  }

  static asio::awaitable<void> write_all(std::shared_ptr<Core> self, std::uint64_t connection) {
    while (self->connection_ == connection && !self->outgoing_.empty()) {
      const std::string bytes = std::exchange(self->outgoing_, {});
      error_code error;
      co_await asio::async_write(*self->socket_, asio::buffer(bytes), with_error(error));
      if (error && self->connection_ == connection) {
        self->hang_up();
        break;
      }
    }
    if (self->connection_ == connection) self->writing_ = false;
  }

  void hang_up() {
    error_code ignored;
    socket_->shutdown(Socket::shutdown_both, ignored);
    socket_->cancel(ignored);
  }

  void disconnect(const std::string& why) {
    ++connection_;
    greeted_ = false;
    writing_ = false;
    outgoing_.clear();
    if (greeting_timer_) greeting_timer_->cancel();
    if (socket_) {
      // A write that is still under way refers to the socket: close it, but keep the object until the next connection.
      error_code ignored;
      socket_->close(ignored);
    }
    if (listener_.disconnected) listener_.disconnected(why);
  }

  asio::any_io_executor executor_;
  Connector connector_;
  Options options_;
  Listener listener_;
  std::optional<Socket> socket_;
  std::uint64_t connection_ = 0;  ///< counts connections, so that a coroutine knows whether its own has ended
  std::string outgoing_;
  bool opened_ = false;
  bool writing_ = false;
  bool greeted_ = false;
  bool was_greeted_ = false;
  bool greeting_late_ = false;
  bool closing_ = false;
  bool last_ = false;  ///< the agent was told to exit: its going is no reason to start another
  bool ended_ = false;
  std::minstd_rand random_{std::random_device{}()};
  asio::steady_timer pause_timer_;
  asio::steady_timer closed_;  ///< cancelled when run() has ended
  std::shared_ptr<asio::steady_timer> greeting_timer_;
};

AgentLink::AgentLink(asio::any_io_executor executor, Connector connector, Options options)
    : core_(std::make_shared<Core>(std::move(executor), std::move(connector), std::move(options))) {}

AgentLink::~AgentLink() {
  core_->abandon();
}

const std::string& AgentLink::name() const {
  return core_->name();
}

void AgentLink::open(Listener listener) {
  core_->open(std::move(listener));
}

void AgentLink::send(proto::ToAgent message) {
  core_->send(message);
}

bool AgentLink::connected() const {
  return core_->connected();
}

asio::awaitable<void> AgentLink::close() {
  co_await core_->close();
}

}  // namespace lathe::manager
