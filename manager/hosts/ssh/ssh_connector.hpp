// The agent of a machine that ssh reaches: brought there when it is missing, started when it does not run.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "hosts/agent_link.hpp"
#include "hosts/ssh/secrets.hpp"
#include "hosts/ssh/ssh_command.hpp"
#include "hosts/ssh/ssh_process.hpp"

namespace lathe::manager {

/// Everything that the connections to one machine need.
struct SshMachine {
  proto::SshAddress address;
  SshSettings settings;  ///< control_socket: what the names of all its sockets begin with
  AgentImage agent;
  std::string daemon;  ///< names the agent's state there; letters and digits
  SshProcess::Environment environment;

  /// Without its file the agent has no hash: an error.
  [[nodiscard]] static proto::Result<SshMachine> make(const proto::SshAddress& address,
                                                      const std::filesystem::path& agent_program,
                                                      const std::filesystem::path& data_dir, const std::string& daemon,
                                                      const SecretStore& secrets,
                                                      const std::filesystem::path& config_file);
};

/// Keeps the ssh that carries the present connection; ends it when the next one begins or this goes.
class SshConnector {
 public:
  SshConnector(boost::asio::any_io_executor executor, std::shared_ptr<const SshMachine> machine);

  /// Connects, brings the agent there when it asks for it, and returns once frames can be spoken. Errors say what ssh
  /// complains of and what to do.
  [[nodiscard]] boost::asio::awaitable<proto::Result<AgentLink::Socket>> connect();

  /// Those of the present connection: each has a control socket of its own, since an ssh that ends removes its own.
  [[nodiscard]] const SshSettings& settings() const { return settings_; }

  /// A connection that is being made fails now, and so does every later one.
  void cancel();

  /// What the ssh of the present connection complains of, as one line; empty: of nothing, or there is none.
  [[nodiscard]] std::string complaint() const;

 private:
  [[nodiscard]] boost::asio::awaitable<proto::Result<void>> begin(AgentLink::Socket& socket);

  boost::asio::any_io_executor executor_;
  std::shared_ptr<const SshMachine> machine_;
  SshSettings settings_;
  std::unique_ptr<SshProcess> process_;
  bool cancelled_ = false;
};

}  // namespace lathe::manager
