// The words that OpenSSH is started with, the script that it runs at the other end, and what its complaints mean. Pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <lathe/proto/training_service.hpp>

namespace lathe::manager {

/// What all connections to one machine share.
struct SshSettings {
  std::filesystem::path control_socket;  ///< of the connection that all others go through
  std::filesystem::path config_file;     ///< ssh -F; empty: the user's own
  bool has_secret = false;               ///< a password or a passphrase may be asked for
};

/// The first connection, which carries the others. `command` is for the shell at the other end.
[[nodiscard]] std::vector<std::string> ssh_master(const proto::SshAddress& address, const SshSettings& settings,
                                                  const std::string& command);

/// Another one through it; fails when it is gone, and asks for nothing.
[[nodiscard]] std::vector<std::string> ssh_beside(const proto::SshAddress& address, const SshSettings& settings,
                                                  const std::string& command);

/// The agent as it lies on this machine.
struct AgentImage {
  std::filesystem::path file;
  std::uint64_t size = 0;
  std::string hash;  ///< SHA-256
};

inline constexpr std::string_view bootstrap_needs = "LATHE:need";     ///< now come `size` bytes of the agent
inline constexpr std::string_view bootstrap_ready = "LATHE:ready";    ///< from here on there are frames
inline constexpr std::string_view bootstrap_failed = "LATHE:failed";  ///< and why, on the same line

/// For any shell: sees to it that the agent is there (under a name that has its hash), then becomes its --attach.
/// `daemon` keeps the agents of several daemons apart, a word of letters and digits.
[[nodiscard]] std::string attach_command(const AgentImage& agent, const std::string& daemon);

/// Becomes the agent's --files.
[[nodiscard]] std::string files_command(const AgentImage& agent, const std::string& daemon);

/// A connection of its own for `command`, for a test of the machine.
[[nodiscard]] std::vector<std::string> ssh_alone(const proto::SshAddress& address, const SshSettings& settings,
                                                 const std::string& command);

/// For any shell: tells what there is on the machine, a fact a line, and last `LATHE:end`. See host_probe.hpp.
[[nodiscard]] std::string probe_command(const AgentImage& agent, const std::string& daemon);

/// What stood in the way of a connection.
enum class SshStage { Connection, HostKey, Login, Session };

struct SshTrouble {
  SshStage stage = SshStage::Session;
  std::string advice;  ///< one line that says what to do
};

/// What ssh wrote to stderr.
[[nodiscard]] SshTrouble diagnose_ssh(std::string_view complaint, const proto::SshAddress& address);
[[nodiscard]] std::string explain_ssh(std::string_view complaint, const proto::SshAddress& address);

}  // namespace lathe::manager
