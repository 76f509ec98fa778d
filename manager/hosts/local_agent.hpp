// The agent of this machine: found at the Unix socket of its state folder, or started.
#pragma once

#include <filesystem>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include "hosts/agent_link.hpp"

namespace lathe::manager {

struct LocalAgentOptions {
  std::filesystem::path program;    ///< lathe-agent
  std::filesystem::path state_dir;  ///< made when missing
};

/// Connects to `state_dir`/socket; when nobody listens there, runs `program --state-dir DIR` (which answers 0 once the
/// agent it leaves behind accepts connections) and connects again. The pool must outlive the connector.
[[nodiscard]] AgentLink::Connector local_agent_connector(boost::asio::any_io_executor executor,
                                                         boost::asio::thread_pool& pool, LocalAgentOptions options);

/// Runs the program and waits until it has returned, at most 15 seconds. Blocking. The error has what it wrote to
/// stderr.
[[nodiscard]] proto::Result<void> launch_agent(const LocalAgentOptions& options);

}  // namespace lathe::manager
