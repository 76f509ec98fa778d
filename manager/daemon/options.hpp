// The command line of lathed.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "http/tls.hpp"

namespace lathe::manager {

struct DaemonOptions {
  std::string listen = "127.0.0.1";
  std::uint16_t port = 8080;
  std::filesystem::path data_dir;                  ///< absolute; default $XDG_STATE_HOME/lathe or ~/.local/state/lathe
  std::vector<std::filesystem::path> search_path;  ///< absolute; default: the working directory
  std::filesystem::path agent_program;             ///< default: lathe-agent beside lathed
  std::filesystem::path trial_program;             ///< default: lathe-trial beside lathed
  std::filesystem::path webui;                     ///< default: the installed or the built folder; empty: none found
  std::string log_level = "info";
  bool keep_trials = false;              ///< at the end, leave running trials to the agent
  std::filesystem::path ssh_config;      ///< absolute; for remote hosts; empty: the user's own
  std::uint64_t disk_reserve = 100;      ///< MiB of the data folder's disk that must be free to start trials
  std::chrono::seconds lost_after{60};   ///< how long a host may be away before its trials run elsewhere
  bool require_token = false;            ///< always true where others can reach the address
  TlsFiles tls;                          ///< absolute; not wanted: plain HTTP
  std::vector<std::string> allow_hosts;  ///< names that the Host header may give, lower case
  std::filesystem::path pid_file;        ///< empty: none
};

/// `--data-dir` when it is left out: $XDG_STATE_HOME/lathe or ~/.local/state/lathe; empty where neither is set.
[[nodiscard]] std::filesystem::path default_data_dir();

/// Whether other machines cannot reach the address that `options` listens on.
[[nodiscard]] bool listens_on_loopback(const DaemonOptions& options);

/// The options, or the exit code of a command line that ends here (--help, --version, a mistake), already told to the
/// user.
[[nodiscard]] std::variant<DaemonOptions, int> parse_options(int argc, const char* const* argv);

}  // namespace lathe::manager
