// A machine that ssh reaches. Its trials' inputs are brought there before they start; what they leave is fetched before
// their ends are told, so that a trial that has ended has its files here.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
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
  /// None for an attempt that nobody waits for any more: the files here are a later one's.
  std::function<std::optional<Folders>(const std::string& attempt)> folders;
};

class RemoteHost final : public Host {
 public:
  RemoteHost(boost::asio::any_io_executor executor, RemoteHostOptions options);
  ~RemoteHost() override;

  [[nodiscard]] const std::string& name() const override;
  void open(Listener listener) override;
  void send(proto::ToAgent message) override;
  void start(Launch launch) override;
  [[nodiscard]] bool connected() const override;
  [[nodiscard]] boost::asio::awaitable<void> close() override;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace lathe::manager
