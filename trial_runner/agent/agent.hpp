// The agent of one host: starts trials when the daemon says so, watches them, and tells what happens to them.
//
// One event loop, one thread. The trials outlive the agent (keeper.hpp), and the agent outlives its connections: events
// wait in the spool for the next one. Here is what holds the parts together, and the decision when to end.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <lathe/proto/frames.hpp>
#include <lathe/proto/result.hpp>

#include "children.hpp"
#include "daemon_link.hpp"
#include "event_log.hpp"
#include "host_monitor.hpp"
#include "launchers.hpp"
#include "log_reader.hpp"
#include "socket_path.hpp"
#include "spool.hpp"
#include "trial_program.hpp"
#include "trial_table.hpp"

namespace lathe::agent {

struct AgentOptions {
  std::filesystem::path state_dir;      ///< absolute; exists, and is locked by this process
  std::chrono::seconds idle_exit{60};   ///< the agent ends by itself after so long without a daemon and without trials
  std::filesystem::path root;           ///< Hello.root, absolute; made if missing; empty: state_dir/root
  std::filesystem::path trial_program;  ///< lathe-trial; empty: looked for (trial_program.hpp)
  std::filesystem::path nvidia_smi;     ///< empty: looked for (gpu_query.hpp)
};

class Agent final : private LinkHandler {
 public:
  /// Adopts the trials of a former agent, then listens on DIR/socket.
  [[nodiscard]] static proto::Result<std::unique_ptr<Agent>> open(boost::asio::io_context& io, AgentOptions options,
                                                                  spdlog::logger& log);

  Agent(boost::asio::io_context& io, AgentOptions options, spdlog::logger& log, Spool spool, SocketPath socket);

 private:
  void on_message(const proto::ToAgent& message) override;
  void on_connected() override;
  void on_disconnected() override;
  [[nodiscard]] std::optional<proto::Hello> hello() override;

  void handle(const proto::StartTrial& start);
  void handle(const proto::KillTrial& kill);
  void handle(const proto::Ack& ack);
  void handle(const proto::Shutdown& shutdown);
  void handle(const proto::ReadLog& read);

  void wait_for_termination();
  void check_idle();
  void check_shutdown();
  void stop();

  boost::asio::io_context& io_;
  AgentOptions options_;
  spdlog::logger& log_;
  boost::asio::signal_set termination_;
  Children children_;
  EventLog events_;
  Launchers launchers_;
  DaemonLink link_;
  TrialTable trials_;
  LogReader logs_;
  TrialProgram trial_program_;
  HostMonitor monitor_;
  bool is_shutting_down_ = false;
  bool is_saying_farewell_ = false;  ///< all trials have ended; the last events wait to be acknowledged
  boost::asio::steady_timer idle_timer_;
  boost::asio::steady_timer shutdown_timer_;
};

}  // namespace lathe::agent
