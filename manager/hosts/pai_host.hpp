// An OpenPAI, seen through an agent of this machine that submits jobs to it.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "hosts/agent_link.hpp"
#include "hosts/host.hpp"

namespace lathe::manager {

class PaiHost final : public Host {
 public:
  /// `token_file`: where SecretStore keeps the user's token. It is named to the agent with each start, and stands in
  /// nothing that is stored.
  PaiHost(boost::asio::any_io_executor executor, AgentLink::Connector connector, AgentLink::Options options,
          std::filesystem::path token_file)
      : link_(std::move(executor), std::move(connector), std::move(options)), token_file_(std::move(token_file)) {}

  [[nodiscard]] const std::string& name() const override { return link_.name(); }
  void open(Listener listener) override { link_.open(std::move(listener)); }
  void send(proto::ToAgent message) override { link_.send(std::move(message)); }
  void start(Launch launch) override {
    launch.start.launcher["token_file"] = token_file_.string();
    link_.start(std::move(launch));
  }
  [[nodiscard]] bool connected() const override { return link_.connected(); }
  [[nodiscard]] boost::asio::awaitable<void> close() override { return link_.close(); }

 private:
  AgentLink link_;
  std::filesystem::path token_file_;
};

}  // namespace lathe::manager
