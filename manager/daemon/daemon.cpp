#include "daemon/daemon.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <fstream>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/routes.hpp"
#include "daemon/logging.hpp"
#include "experiment/manager.hpp"
#include "http/server.hpp"

namespace lathe::manager {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::chrono::milliseconds connection_grace{3000};
constexpr int pool_threads = 2;

/// Holds the process id while it lives.
class PidFile {
 public:
  explicit PidFile(fs::path path) : path_(std::move(path)) {
    if (path_.empty()) return;
    std::ofstream file(path_);
    file << ::getpid() << '\n';
    if (!file.flush()) throw std::runtime_error("cannot write the pid file " + path_.string());
  }
  ~PidFile() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove(path_, ignored);
  }
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  fs::path path_;
};

ManagerOptions manager_options(const DaemonOptions& options) {
  ManagerOptions manager;
  manager.data_dir = options.data_dir;
  manager.agent_program = options.agent_program;
  manager.trial_program = options.trial_program;
  return manager;
}

/// With the address restricted to loopback there is no other name; else this machine's own is one.
std::vector<std::string> own_names(const DaemonOptions& options) {
  if (!options.insecure_listen) return {};
  boost::system::error_code error;
  const std::string name = asio::ip::host_name(error);
  return error ? std::vector<std::string>{} : std::vector<std::string>{name};
}

class Daemon {
 public:
  explicit Daemon(const DaemonOptions& options)
      : options_(options),
        loop_(1),
        pool_(pool_threads),
        manager_(loop_.get_executor(), manager_options(options)),
        context_{manager_,      pool_.get_executor(), options.search_path, options.data_dir / "lathed.log",
                 options.webui, own_names(options),   LATHE_VERSION},
        server_(loop_.get_executor(), {}, [this](HttpRequest& request) { return answer(request, context_); }) {}

  DaemonExit run() {
    DaemonExit exit = DaemonExit::Failure;
    asio::co_spawn(loop_, serve(), [&](std::exception_ptr failure, DaemonExit result) {
      if (failure) log_failure(failure);
      exit = failure ? DaemonExit::Failure : result;
      loop_.stop();
    });
    loop_.run();
    pool_.join();
    return exit;
  }

 private:
  static void log_failure(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      spdlog::critical("lathed cannot go on: {}", error.what());
    }
  }

  /// Takes the port before the manager touches anything; who connects meanwhile waits until it is ready.
  asio::awaitable<DaemonExit> serve() {
    asio::signal_set signals(loop_, SIGTERM, SIGINT);
    const auto endpoint = server_.listen(options_.listen, options_.port);
    if (!endpoint) {
      fmt::print(stderr, "lathed: {}\n", endpoint.error().message);
      co_return endpoint.error().field == "port" ? DaemonExit::PortInUse : DaemonExit::Failure;
    }
    const auto started = co_await manager_.start();
    if (!started) {
      fmt::print(stderr, "lathed: {}\n", started.error().to_string());
      co_return DaemonExit::DataDirUnusable;
    }
    server_.start();
    announce(*endpoint);
    co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    // From here on the system's own handling is back: the next signal ends the process at once.
    signals.clear();
    co_await shut_down();
    co_return DaemonExit::Ok;
  }

  void announce(const asio::ip::tcp::endpoint& endpoint) const {
    const std::string host =
        endpoint.address().is_v6() ? "[" + endpoint.address().to_string() + "]" : endpoint.address().to_string();
    fmt::print("lathed listens on http://{}:{}\n", host, endpoint.port());
    std::fflush(stdout);
    if (options_.webui.empty()) spdlog::warn("no dashboard: its folder was not found; name it with --webui");
  }

  asio::awaitable<void> shut_down() {
    spdlog::info("shutting down");
    co_await server_.shutdown(connection_grace);
    co_await manager_.shutdown(options_.keep_trials);
    spdlog::info("done");
  }

  const DaemonOptions& options_;
  asio::io_context loop_;
  asio::thread_pool pool_;
  ExperimentManager manager_;
  ApiContext context_;
  HttpServer server_;
};

}  // namespace

DaemonExit run_daemon(const DaemonOptions& options) {
  try {
    set_up_logging(options.data_dir / "lathed.log", options.log_level);
    std::signal(SIGPIPE, SIG_IGN);
    const PidFile pid_file(options.pid_file);
    Daemon daemon(options);
    return daemon.run();
  } catch (const std::exception& failure) {
    fmt::print(stderr, "lathed: {}\n", failure.what());
    return DaemonExit::Failure;
  }
}

}  // namespace lathe::manager
