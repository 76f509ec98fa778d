#include "daemon/daemon.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "access/access_control.hpp"
#include "api/admission.hpp"
#include "api/blocking.hpp"
#include "api/routes.hpp"
#include "api/trial_tables.hpp"
#include "daemon/logging.hpp"
#include "daemon/own_file.hpp"
#include "experiment/manager.hpp"
#include "http/server.hpp"

namespace lathe::manager {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::chrono::milliseconds connection_grace{3000};
constexpr int pool_threads = 2;

ManagerOptions manager_options(const DaemonOptions& options) {
  ManagerOptions manager;
  manager.data_dir = options.data_dir;
  manager.agent_program = options.agent_program;
  manager.trial_program = options.trial_program;
  manager.ssh_config = options.ssh_config;
  manager.disk_reserve = options.disk_reserve << 20;
  manager.lost_after = options.lost_after;
  return manager;
}

/// What the Host header may name. Beyond loopback this machine's own name is one more.
std::vector<std::string> own_names(const DaemonOptions& options) {
  std::vector<std::string> names = options.allow_hosts;
  if (listens_on_loopback(options)) return names;
  boost::system::error_code error;
  const std::string name = asio::ip::host_name(error);
  if (!error) names.push_back(boost::algorithm::to_lower_copy(name));
  return names;
}

std::string authority_of(const asio::ip::tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return fmt::format("{}:{}", endpoint.address().is_v6() ? "[" + host + "]" : host, endpoint.port());
}

class Daemon {
 public:
  explicit Daemon(const DaemonOptions& options)
      : options_(options),
        loop_(1),
        pool_(pool_threads),
        manager_(loop_.get_executor(), manager_options(options)),
        access_(options.data_dir),
        tables_(loop_.get_executor(), pool_.get_executor(), manager_),
        context_{manager_,
                 pool_.get_executor(),
                 options.search_path,
                 options.data_dir,
                 options.data_dir / "lathed.log",
                 options.webui,
                 own_names(options),
                 LATHE_VERSION,
                 options.require_token ? &access_ : nullptr,
                 std::make_shared<EventFrames>(),
                 &tables_},
        server_(loop_.get_executor(), {},
                {[this](HttpRequest& request) { return answer(request, context_); },
                 [this](const HttpRequest& request) { return admit(request, context_); }}) {}

  /// Reads the files of tokens and certificates.
  [[nodiscard]] proto::Result<void> prepare() {
    if (options_.require_token) {
      if (auto opened = access_.open(); !opened) return opened;
    }
    if (!options_.tls.is_wanted()) return {};
    auto tls = load_tls(options_.tls);
    if (!tls) return tl::unexpected(tls.error());
    server_.use_tls(*std::move(tls));
    return {};
  }

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
    // Tells lathectl which port the tokens of this folder are for.
    const OwnFile address(options_.data_dir / "lathed.address", authority_of(*endpoint));
    server_.start();
    announce(*endpoint);
    asio::co_spawn(loop_, reload_on_hangup(), asio::detached);
    co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    // From here on the system's own handling is back: the next signal ends the process at once.
    signals.clear();
    co_await shut_down();
    co_return DaemonExit::Ok;
  }

  void announce(const asio::ip::tcp::endpoint& endpoint) const {
    fmt::print("lathed listens on {}://{}\n", options_.tls.is_wanted() ? "https" : "http", authority_of(endpoint));
    std::fflush(stdout);
    if (options_.webui.empty()) spdlog::warn("no dashboard: its folder was not found; name it with --webui");
    if (options_.require_token)
      spdlog::info("clients need a token; that of this user is in {}",
                   TokenFile(options_.data_dir).operator_path().string());
    if (!listens_on_loopback(options_) && !options_.tls.is_wanted()) {
      spdlog::warn(
          "NOT ENCRYPTED: {} can be reached from other machines, and whoever can listen on the network reads "
          "every token and can then run any command as this user. Give lathed --tls-cert and --tls-key",
          options_.listen);
    }
  }

  /// SIGHUP: a renewed certificate. A bad one changes nothing.
  asio::awaitable<void> reload_on_hangup() {
    asio::signal_set hangup(loop_, SIGHUP);
    for (;;) {
      const auto [error, number] = co_await hangup.async_wait(asio::as_tuple(asio::use_awaitable));
      if (error) co_return;
      if (!options_.tls.is_wanted()) continue;
      const auto load = [this] { return load_tls(options_.tls); };
      const auto tls = co_await run_blocking(pool_.get_executor(), load);
      if (tls) {
        server_.use_tls(*tls);
        spdlog::info("new connections use the certificate of {} as it is now", options_.tls.certificate.string());
      } else {
        spdlog::error("the certificate stays as it was: {}", tls.error().to_string());
      }
    }
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
  AccessControl access_;
  TrialTables tables_;
  ApiContext context_;
  HttpServer server_;
};

}  // namespace

DaemonExit run_daemon(const DaemonOptions& options) {
  try {
    set_up_logging(options.data_dir / "lathed.log", options.log_level);
    std::signal(SIGPIPE, SIG_IGN);
    const OwnFile pid_file(options.pid_file, std::to_string(::getpid()));
    Daemon daemon(options);
    if (const auto prepared = daemon.prepare(); !prepared) {
      fmt::print(stderr, "lathed: {}\n", prepared.error().to_string());
      return DaemonExit::AccessUnsafe;
    }
    return daemon.run();
  } catch (const std::exception& failure) {
    fmt::print(stderr, "lathed: {}\n", failure.what());
    return DaemonExit::Failure;
  }
}

}  // namespace lathe::manager
