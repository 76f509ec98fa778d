// lathe-agent: starts and watches the trials of one host.

#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>

#include "agent.hpp"
#include "daemonize.hpp"
#include "state_lock.hpp"
#include "version.hpp"

namespace {

namespace fs = std::filesystem;
using lathe::agent::ReportStart;

enum ExitCode { Succeeded = 0, Failed = 1, BadUsage = 2, AlreadyRunning = 3 };

struct Arguments {
  std::string state_dir;
  std::int64_t idle_exit_s = 60;
  bool foreground = false;
};

/// Runs the agent until it ends. `report` is called once, when it listens or when it cannot.
int serve(const lathe::agent::AgentOptions& options, const ReportStart& report) {
  const auto lock = lathe::agent::StateLock::take(options.state_dir);
  if (!lock) {
    const int code = lock.error().is_held ? AlreadyRunning : Failed;
    return report(code, lock.error().message), code;
  }
  lock->note_owner();
  spdlog::logger log("agent", std::make_shared<spdlog::sinks::stderr_sink_st>());
  log.set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
  boost::asio::io_context io(1);
  const auto agent = lathe::agent::Agent::open(io, options, log);
  if (!agent) return report(Failed, agent.error().to_string()), Failed;
  log.info("lathe-agent {} listens in {}", lathe::agent::version, options.state_dir.string());
  report(Succeeded, "");
  io.run();
  log.info("the agent ends");
  return Succeeded;
}

int serve_guarded(const lathe::agent::AgentOptions& options, const ReportStart& report) {
  try {
    return serve(options, report);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lathe-agent: %s\n", error.what());
    return Failed;
  }
}

void report_in_foreground(int, const std::string& message) {
  if (!message.empty()) std::fprintf(stderr, "lathe-agent: %s\n", message.c_str());
}

int run(const Arguments& arguments) {
  std::error_code error;
  const fs::path state_dir = fs::absolute(arguments.state_dir, error);
  if (!error) fs::create_directories(state_dir.parent_path(), error);
  if (!error && ::mkdir(state_dir.c_str(), 0700) != 0 && errno != EEXIST) error.assign(errno, std::generic_category());
  if (error) {
    std::fprintf(stderr, "lathe-agent: cannot create %s: %s\n", state_dir.c_str(), error.message().c_str());
    return Failed;
  }
  const lathe::agent::AgentOptions options{state_dir, std::chrono::seconds(arguments.idle_exit_s)};
  if (arguments.foreground) return serve_guarded(options, report_in_foreground);
  return lathe::agent::run_detached(state_dir / "agent.log",
                                    [&options](const ReportStart& report) { return serve_guarded(options, report); });
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away is an ordinary error of a write.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  Arguments arguments;
  CLI::App app("Starts and watches the trials of one host for lathed.", "lathe-agent");
  app.set_version_flag("--version", std::string(lathe::agent::version));
  app.add_option("--state-dir", arguments.state_dir,
                 "folder of the socket, the spool, the lock and the log; made if missing")
      ->required();
  app.add_option("--idle-exit", arguments.idle_exit_s,
                 "seconds without a daemon and without trials after which it exits")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{31'536'000}))
      ->capture_default_str();
  app.add_flag("--foreground", arguments.foreground, "do not detach from the terminal; log to stderr");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? Succeeded : BadUsage;
  }
  return run(arguments);
}
