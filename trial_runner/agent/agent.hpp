// The agent of one host: starts trials when the daemon says so, watches them, and tells what happens to them.
//
// One event loop, one thread. The agent owns every child of its process (it is a subreaper too, so that orphans of
// trials come to it and leave no zombies). It outlives its connections: events wait in the spool for the next one.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <lathe/proto/frames.hpp>
#include <lathe/proto/result.hpp>

#include "connection.hpp"
#include "metric_watch.hpp"
#include "socket_path.hpp"
#include "spool.hpp"
#include "trial.hpp"
#include "warm_pool.hpp"

namespace lathe::agent {

struct AgentOptions {
  std::filesystem::path state_dir;     ///< absolute; exists, and is locked by this process
  std::chrono::seconds idle_exit{60};  ///< the agent ends by itself after so long without a daemon and without trials
};

class Agent final : private ConnectionHandler {
 public:
  /// Ends and reports the trials that a killed agent left, then listens on DIR/socket.
  [[nodiscard]] static proto::Result<std::unique_ptr<Agent>> open(boost::asio::io_context& io, AgentOptions options,
                                                                  spdlog::logger& log);

  Agent(boost::asio::io_context& io, AgentOptions options, spdlog::logger& log, Spool spool, SocketPath socket);

 private:
  // ---- connections
  proto::Result<void> listen();
  void accept();
  void greet(Connection::Socket socket);
  void on_message(const proto::ToAgent& message) override;
  [[nodiscard]] std::string next_frames() override;
  void on_disconnected(const std::string& reason) override;
  [[nodiscard]] proto::Hello hello() const;

  // ---- messages of the daemon
  void handle(const proto::StartTrial& start);
  void handle(const proto::KillTrial& kill);
  void handle(const proto::Ack& ack);
  void handle(const proto::Shutdown& shutdown);
  [[nodiscard]] proto::Result<void> start_trial(const proto::StartTrial& start);
  [[nodiscard]] proto::Result<GatedProcess> make_process(const std::string& trial_id, Command command);

  // ---- trials
  void report_lost_trials();
  void wait_for_children();
  void reap_children();
  void wait_for_termination();
  void advance(const std::string& trial_id);
  void advance_all();
  void finish(Trial& trial, std::vector<NewEvent> events);

  // ---- events, time and the end
  void record(const std::vector<NewEvent>& events);
  void retry_spool();
  void start_polling();
  void poll_metrics();
  void check_idle();
  void check_shutdown();
  void stop();

  boost::asio::io_context& io_;
  AgentOptions options_;
  spdlog::logger& log_;
  Spool spool_;
  SocketPath socket_;
  std::string shell_;
  std::string boot_id_;
  boost::asio::signal_set children_;
  boost::asio::signal_set termination_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  MetricWatch watch_;
  std::shared_ptr<Connection> connection_;
  bool is_greeted_ = false;          ///< this connection has got its Hello
  std::uint64_t sent_sequence_ = 0;  ///< of the last event given to this connection
  std::map<std::string, std::shared_ptr<Trial>> trials_;
  WarmPool warm_parents_;
  bool is_shutting_down_ = false;
  bool is_saying_farewell_ = false;  ///< all trials have ended; the last events wait to be acknowledged
  bool is_polling_ = false;
  boost::asio::steady_timer accept_timer_;
  boost::asio::steady_timer idle_timer_;
  boost::asio::steady_timer spool_timer_;
  boost::asio::steady_timer poll_timer_;
  boost::asio::steady_timer shutdown_timer_;
};

}  // namespace lathe::agent
