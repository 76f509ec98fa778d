#include "daemon/options.hpp"

#include <cstdlib>
#include <system_error>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/asio/ip/address.hpp>

#include <lathe/proto/experiment_config.hpp>

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;

constexpr int exit_usage = 2;

fs::path own_folder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

fs::path default_webui() {
  for (const fs::path& folder :
       {own_folder() / "../share/lathe/webui", fs::path(LATHE_WEBUI_INSTALLED), fs::path(LATHE_WEBUI_BUILT)}) {
    std::error_code error;
    if (fs::is_regular_file(folder / "index.html", error)) return fs::weakly_canonical(folder, error);
  }
  return {};
}

/// The rules that a single option cannot check by itself; empty: all is well.
std::string find_mistake(const DaemonOptions& options) {
  boost::system::error_code error;
  boost::asio::ip::make_address(options.listen, error);
  if (error) return fmt::format("--listen: '{}' is not an IP address", options.listen);
  if (options.tls.certificate.empty() != options.tls.key.empty())
    return "--tls-cert and --tls-key belong together; one of them is missing";
  if (options.data_dir.empty()) return "--data-dir: neither it nor HOME is set, so there is no place for the data";
  return {};
}

void make_absolute(DaemonOptions& options) {
  for (fs::path* path : {&options.data_dir, &options.agent_program, &options.trial_program, &options.webui,
                         &options.pid_file, &options.ssh_config, &options.tls.certificate, &options.tls.key}) {
    if (!path->empty()) *path = fs::absolute(*path).lexically_normal();
  }
  if (options.search_path.empty()) options.search_path.push_back(fs::current_path());
  for (fs::path& folder : options.search_path) folder = fs::absolute(folder).lexically_normal();
}

void describe(CLI::App& app, DaemonOptions& options) {
  app.set_version_flag("--version", "lathed " LATHE_VERSION);
  app.add_option("--listen", options.listen, "IP address to listen on; clients from beyond this machine need a token")
      ->capture_default_str();
  app.add_option("--port", options.port, "port to listen on; 0 picks a free one")->capture_default_str();
  app.add_option("--data-dir", options.data_dir, "folder of the database, the log and the experiments")
      ->capture_default_str();
  app.add_option("--search-path", options.search_path,
                 "folders in which relative paths of configs are looked up (default: here)");
  app.add_option("--agent", options.agent_program, "the lathe-agent program")
      ->capture_default_str()
      ->check(CLI::ExistingFile);
  app.add_option("--trial-program", options.trial_program, "the lathe-trial program")
      ->capture_default_str()
      ->check(CLI::ExistingFile);
  app.add_option("--webui", options.webui, "folder of the dashboard")
      ->capture_default_str()
      ->check(CLI::ExistingDirectory);
  app.add_option("--log-level", options.log_level, "what is worth a line in the log")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  app.add_flag("--keep-trials", options.keep_trials,
               "leave running trials alone when lathed ends, and take them up again at the next start");
  app.add_option("--reserve", options.disk_reserve,
                 "MiB that must be free on the disk of the data folder for trials to be started; 0: none")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 40));
  app.add_option("--ssh-config", options.ssh_config,
                 "ssh_config for remote hosts, instead of that of the user and of the machine")
      ->check(CLI::ExistingFile);
  app.add_option_function<std::string>(
         "--lost-after",
         [&options](const std::string& text) {
           const auto duration = proto::parse_duration(text);
           if (!duration) throw CLI::ValidationError("--lost-after", duration.error().message);
           options.lost_after = *duration;
         },
         "how long a remote host may be out of reach before its trials run elsewhere")
      ->default_str(proto::to_string(options.lost_after));
  app.add_flag("--require-token", options.require_token,
               "ask every client for a token (see lathed token), as is always done beyond this machine");
  app.add_option("--tls-cert", options.tls.certificate, "PEM file: the certificate, then those of its authorities")
      ->check(CLI::ExistingFile);
  app.add_option("--tls-key", options.tls.key, "PEM file: the private key of the certificate")
      ->check(CLI::ExistingFile);
  app.add_option("--allow-host", options.allow_hosts,
                 "more names by which clients may reach lathed, e.g. that of a proxy");
  app.add_option("--pid-file", options.pid_file, "file that holds the process id while lathed runs");
}

}  // namespace

fs::path default_data_dir() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    return fs::path(state) / "lathe";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return fs::path(home) / ".local/state/lathe";
  return {};
}

bool listens_on_loopback(const DaemonOptions& options) {
  boost::system::error_code error;
  return boost::asio::ip::make_address(options.listen, error).is_loopback();
}

std::variant<DaemonOptions, int> parse_options(int argc, const char* const* argv) {
  DaemonOptions options;
  options.data_dir = default_data_dir();
  options.agent_program = own_folder() / "lathe-agent";
  options.trial_program = own_folder() / "lathe-trial";
  options.webui = default_webui();
  CLI::App app("lathed: runs model compression experiments and serves their REST interface and dashboard", "lathed");
  describe(app, options);
  app.footer("lathed token ls|add|rm manages the tokens of a data folder; SIGHUP reads the certificate anew.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_usage;
  }
  if (const std::string mistake = find_mistake(options); !mistake.empty()) {
    fmt::print(stderr, "lathed: {}\n", mistake);
    return exit_usage;
  }
  make_absolute(options);
  options.require_token = options.require_token || !listens_on_loopback(options);
  for (std::string& name : options.allow_hosts) boost::algorithm::to_lower(name);
  return options;
}

}  // namespace lathe::manager
