// A machine that ssh reaches. Its trials' inputs are brought there before they start; what they leave is fetched before
// their ends are told, so that a trial that has ended has its files here. What nobody needs there any more is removed.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "hosts/host.hpp"
#include "hosts/ssh/ssh_connector.hpp"

namespace lathe::manager {

struct RemoteHostOptions {
  std::shared_ptr<const SshMachine> machine;
  /// Where an attempt's files lie on that host, below its agent's root, and where they go here.
  struct Folders {
    std::string there;
    std::filesystem::path here;
  };
  std::function<Folders(const std::string& attempt)> folders;
  /// Whether the attempt runs for the daemon, so that its files are wanted. What has ended elsewhere, or here already,
  /// must not be written over. Unset: always.
  std::function<bool(const std::string& attempt)> is_running{};
  /// Whether a folder below the agent's root, of an experiment, a trial, a preparation or a program, is needed for what
  /// goes on there. Unset: nothing is ever removed.
  std::function<bool(const std::string& folder)> is_needed{};
};

class RemoteHost final : public Host {
 public:
  RemoteHost(boost::asio::any_io_executor executor, RemoteHostOptions options);
  ~RemoteHost() override;

  [[nodiscard]] const std::string& name() const override;
  void open(Listener listener) override;
  void send(proto::ToAgent message) override;
  void start(Launch launch) override;
  void tidy() override;
  void retire() override;
  [[nodiscard]] bool connected() const override;
  [[nodiscard]] boost::asio::awaitable<void> close() override;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace lathe::manager
