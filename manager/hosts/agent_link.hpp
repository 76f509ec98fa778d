// The connection to one lathe-agent: greets, reads events, writes messages, reconnects with growing pauses.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <lathe/proto/result.hpp>

#include "hosts/host.hpp"

namespace lathe::manager {

class AgentLink final : public Host {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  /// Makes a new connection, starting the agent when that is needed. Called again after each failure.
  using Connector = std::function<boost::asio::awaitable<proto::Result<Socket>>()>;

  struct Options {
    std::string name = "local";
    std::chrono::milliseconds first_pause{50};
    std::chrono::milliseconds longest_pause{5000};
    double jitter = 0;  ///< each pause is longer or shorter by up to this part, so that hosts do not come in step
    std::chrono::milliseconds greeting_timeout{10'000};  ///< the agent's Hello must have come by then
  };

  AgentLink(boost::asio::any_io_executor executor, Connector connector, Options options);
  ~AgentLink() override;

  [[nodiscard]] const std::string& name() const override;
  void open(Listener listener) override;
  void send(proto::ToAgent message) override;
  [[nodiscard]] bool connected() const override;
  [[nodiscard]] boost::asio::awaitable<void> close() override;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace lathe::manager
