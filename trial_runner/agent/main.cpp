// lathe-agent: starts and watches the trials of one host.

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>

#include "agent.hpp"
#include "attach.hpp"
#include "daemonize.hpp"
#include "file_server.hpp"
#include "keeper.hpp"
#include "state_lock.hpp"
#include "version.hpp"

namespace {

namespace fs = std::filesystem;
using lathe::agent::ReportStart;
using lathe::agent::StartReport;

enum ExitCode { Succeeded = 0, Failed = 1, BadUsage = 2, AlreadyRunning = 3 };

struct Arguments {
  std::string state_dir;
  std::int64_t idle_exit_s = 60;
  std::string root;
  std::string trial_program;
  std::string nvidia_smi;
  bool foreground = false;
  bool attach = false;
  bool files = false;
};

/// Runs the agent until it ends. `report` is called once, when it listens or when it cannot.
int serve(const lathe::agent::AgentOptions& options, const ReportStart& report) {
  const auto lock = lathe::agent::StateLock::take(options.state_dir);
  if (!lock) {
    const int code = lock.error().is_held ? AlreadyRunning : Failed;
    return report({code, lock.error().message}), code;
  }
  lock->note_owner();
  spdlog::logger log("agent", std::make_shared<spdlog::sinks::stderr_sink_st>());
  log.set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
  boost::asio::io_context io(1);
  const auto agent = lathe::agent::Agent::open(io, options, log);
  if (!agent) return report({Failed, agent.error().to_string()}), Failed;
  log.info("lathe-agent {} listens in {}", lathe::agent::version, options.state_dir.string());
  report({Succeeded, ""});
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

/// Standard output is for frames alone.
int complain(int exit_code, const std::string& message) {
  if (!message.empty()) std::fprintf(stderr, "lathe-agent: %s\n", message.c_str());
  return exit_code;
}

StartReport start_detached(const lathe::agent::AgentOptions& options) {
  return lathe::agent::run_detached(options.state_dir / "agent.log",
                                    [&options](const ReportStart& report) { return serve_guarded(options, report); });
}

/// Connects to the agent of the folder, which is started if there is none.
lathe::proto::Result<lathe::agent::Descriptor> connect_or_start(const lathe::agent::AgentOptions& options) {
  constexpr int most_attempts = 50;
  constexpr std::chrono::milliseconds pause{100};
  for (int attempt = 1;; ++attempt) {
    auto socket = lathe::agent::connect_to_agent(options.state_dir);
    if (socket || attempt == most_attempts) return socket;
    // One that holds the lock and does not listen is only just starting, or ending.
    const StartReport started = start_detached(options);
    if (started.exit_code == AlreadyRunning) std::this_thread::sleep_for(pause);
    if (started.exit_code != Succeeded && started.exit_code != AlreadyRunning) {
      return lathe::proto::fail(started.message);
    }
  }
}

int attach(const lathe::agent::AgentOptions& options) {
  const auto socket = connect_or_start(options);
  if (!socket) return complain(Failed, socket.error().message);
  const auto joined = lathe::agent::join_streams(STDIN_FILENO, STDOUT_FILENO, socket->get());
  return joined ? Succeeded : complain(Failed, joined.error().message);
}

int serve_files(const lathe::agent::AgentOptions& options) {
  lathe::proto::FileStream stream(STDIN_FILENO, STDOUT_FILENO);
  const auto served =
      lathe::agent::serve_files(options.root.empty() ? options.state_dir / "root" : options.root, stream);
  return served ? Succeeded : complain(Failed, served.error().message);
}

/// `~/x` is in the home folder: nobody else expands it for a command line that ssh carries in quotes.
fs::path absolute_path(const std::string& text) {
  const char* const home = std::getenv("HOME");
  if (home != nullptr && (text == "~" || text.starts_with("~/"))) return fs::absolute(home + text.substr(1));
  return text.empty() ? fs::path() : fs::absolute(text).lexically_normal();
}

int run(const Arguments& arguments) {
  lathe::agent::AgentOptions options;
  options.state_dir = absolute_path(arguments.state_dir);
  options.idle_exit = std::chrono::seconds(arguments.idle_exit_s);
  options.root = absolute_path(arguments.root);
  options.trial_program = absolute_path(arguments.trial_program);
  options.nvidia_smi = absolute_path(arguments.nvidia_smi);
  std::error_code error;
  fs::create_directories(options.state_dir.parent_path(), error);
  if (!error && ::mkdir(options.state_dir.c_str(), 0700) != 0 && errno != EEXIST) {
    error.assign(errno, std::generic_category());
  }
  if (error) return complain(Failed, "cannot create " + options.state_dir.string() + ": " + error.message());
  if (arguments.attach) return attach(options);
  if (arguments.files) return serve_files(options);
  if (arguments.foreground) {
    return serve_guarded(options, [](const StartReport& start) { complain(start.exit_code, start.message); });
  }
  const StartReport started = start_detached(options);
  return complain(started.exit_code, started.message);
}

void add_options(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", std::string(lathe::agent::version));
  app.add_option("--state-dir", arguments.state_dir,
                 "folder of the socket, the spool, the lock and the log; made if missing; ~/ is the home folder")
      ->required();
  app.add_option("--idle-exit", arguments.idle_exit_s,
                 "seconds without a daemon and without trials after which it exits")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{31'536'000}))
      ->capture_default_str();
  app.add_option("--root", arguments.root,
                 "folder for the files of trials that come from another host; default: root in the state folder");
  app.add_option("--trial-program", arguments.trial_program,
                 "lathe-trial of this host; default: beside this program, else on PATH");
  app.add_option("--nvidia-smi", arguments.nvidia_smi,
                 "what tells of the GPUs; default: $LATHE_NVIDIA_SMI, else nvidia-smi on PATH");
  auto* foreground =
      app.add_flag("--foreground", arguments.foreground, "do not detach from the terminal; log to stderr");
  auto* attach = app.add_flag("--attach", arguments.attach,
                              "start the agent if none runs, then join standard input and output with its socket")
                     ->excludes(foreground);
  app.add_flag("--files", arguments.files, "keep and give back files of trials by standard input and output")
      ->excludes(foreground)
      ->excludes(attach);
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto kept = lathe::agent::kept_by_arguments(argc, argv)) lathe::agent::keep(*kept);
  // A reader that goes away is an ordinary error of a write.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  Arguments arguments;
  CLI::App app("Starts and watches the trials of one host for lathed.", "lathe-agent");
  add_options(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? Succeeded : BadUsage;
  }
  return run(arguments);
}
