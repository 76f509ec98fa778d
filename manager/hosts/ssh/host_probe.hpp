// Looks at a machine step by step: can it be reached, is it the one it says it is, does it let us in, and is there what
// trials need? What one step finds out is said even when a later one fails.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "hosts/host_status.hpp"
#include "hosts/ssh/ssh_connector.hpp"

namespace lathe::manager {

/// `user@host:port`, where user and port may be left out; none: it is no such name.
[[nodiscard]] std::optional<proto::SshAddress> parse_ssh_name(std::string_view name);

/// What came of a run of probe_command().
struct ProbeOutput {
  std::string facts;      ///< its stdout
  std::string complaint;  ///< ssh's stderr
  bool late = false;      ///< it did not end in time
};

/// Pure. `version`: of lathe-trial here.
[[nodiscard]] HostTest judge_probe(const ProbeOutput& output, const proto::SshAddress& address,
                                   const std::string& version);

/// Connects anew, beside whatever connection there is.
[[nodiscard]] boost::asio::awaitable<HostTest> probe_host(boost::asio::any_io_executor executor,
                                                          std::shared_ptr<const SshMachine> machine);

/// For a host whose agent runs on this machine: what the agent has told.
[[nodiscard]] HostTest judge_status(const HostStatus& status);

}  // namespace lathe::manager
