// A loaded experiment: takes messages (agent events, requests, the clock) one turn at a time. A turn gathers all that
// waits, decides, commits once, then acts; so one fsync serves every trial that ended meanwhile. Loop thread only.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "experiment/disk_guard.hpp"
#include "experiment/drain_switch.hpp"
#include "experiment/service.hpp"
#include "experiment/tuner_seat.hpp"
#include "experiment/turn.hpp"
#include "hosts/fleet.hpp"

namespace lathe::manager {

/// What experiments share and the manager owns; outlives them.
struct ExperimentContext {
  boost::asio::any_io_executor executor;
  Database& database;
  boost::asio::thread_pool& pool;
  EventBus& events;
  Fleet& fleet;
  const DrainSwitch& drain;
  const DiskGuard& disk;
  std::filesystem::path trial_program;
  std::chrono::milliseconds trial_grace{5000};
  MakeTuner make_tuner;
  std::function<void()> turn_ended;
};

class Experiment : public std::enable_shared_from_this<Experiment> {
 public:
  Experiment(ExperimentContext context, ExperimentState state);

  /// Takes turns until the experiment is at rest and nothing waits, or close() is called; then calls `ended`.
  void run(std::function<void()> ended);

  [[nodiscard]] const ExperimentState& state() const { return state_; }
  [[nodiscard]] const std::string& wait_reason() const { return wait_reason_; }
  /// Why nothing of it can go on now; empty: nothing is in the way.
  [[nodiscard]] const std::string& obstacle() const { return trouble_.empty() ? obstacle_ : trouble_; }

  // ---- messages ----
  void agent_greeted(std::string host, proto::Hello hello);
  void agent_event(std::string state_id, proto::SequencedEvent event);
  /// The host has been away for too long.
  void host_lost(std::string host, std::string why);
  void start_failed(std::string attempt, std::string why);
  /// Something about the hosts is different: decide again.
  void hosts_changed();
  /// Draining has begun or ended.
  void drain_changed();
  /// Turns that begin from here on start nothing new.
  void begin_closing();
  /// False while a turn is under way that began before begin_closing().
  [[nodiscard]] bool is_settled() const { return !in_turn_; }

  /// Applies the edit in a turn of its own or with others; answers when it is committed, or was refused.
  using Edit = std::function<ServiceResult<void>(Turn&)>;
  [[nodiscard]] Answer<bool> request(Edit edit);

  /// Ends the turns after the present one.
  void close();

 private:
  struct Greeting {
    std::string host;
    proto::Hello hello;
  };
  struct Loss {
    std::string host;
    std::string why;
  };
  struct FailedStart {
    std::string attempt;
    std::string why;
  };
  struct AgentMessage {
    std::string state_id;
    proto::SequencedEvent event;
  };
  struct Request;
  using Incoming = std::variant<Greeting, Loss, FailedStart, AgentMessage, std::shared_ptr<Request>>;

  void post(Incoming message, bool urgent);
  void wake();
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] boost::asio::steady_timer::time_point next_turn() const;
  [[nodiscard]] boost::asio::awaitable<void> wait_for_work();
  [[nodiscard]] boost::asio::awaitable<void> take_turn_safely();
  [[nodiscard]] boost::asio::awaitable<void> take_turn(std::deque<Incoming>& batch);
  void take(Turn& turn, Incoming& message);
  [[nodiscard]] boost::asio::awaitable<StorageResult<void>> schedule(Turn& turn);
  [[nodiscard]] boost::asio::awaitable<StorageResult<void>> add_suggestions(Turn& turn, std::int64_t count);
  [[nodiscard]] Decision decide_for(const Turn& turn);
  void log_obstacle();
  [[nodiscard]] std::vector<Station> stations_for(const Turn& turn, std::string& obstacle);
  [[nodiscard]] std::optional<Station> station_at(const std::string& host) const;
  [[nodiscard]] std::optional<HostSpec> spec_of(const std::string& host) const;
  void claim_places(const ExperimentState& state);
  [[nodiscard]] boost::asio::awaitable<void> finish(Turn& turn, std::deque<Incoming>& batch);
  void send(std::vector<Message>& messages);
  void give_up(std::deque<Incoming>& batch, const StorageError& error);
  void refuse_requests(std::deque<Incoming>& messages, const std::string& why);
  void publish(const TurnRows& rows, bool with_config);
  void publish_waiting();
  [[nodiscard]] boost::asio::awaitable<void> update_files(const Turn& turn);

  ExperimentContext context_;
  ExperimentState state_;
  TunerSeat tuner_;
  std::vector<Station> stations_;  ///< where the decision that was made last would start trials
  std::deque<Incoming> mailbox_;
  std::string wait_reason_;
  std::string obstacle_;  ///< why the last decision could start nothing; empty: it could, or had nothing to
  std::string logged_obstacle_;
  boost::asio::steady_timer::time_point logged_at_{};
  std::string told_reason_;        ///< the wait reason that was published last
  Milliseconds saved_run_ms_ = 0;  ///< run_ms in the database
  std::string trouble_;            ///< why the last commit failed, and what to do; empty: it did not
  std::string failure_;            ///< what the database said of it
  std::chrono::milliseconds backoff_{0};
  boost::asio::steady_timer::time_point retry_at_{};
  boost::asio::steady_timer::time_point look_again_ = boost::asio::steady_timer::time_point::max();  ///< at the disk
  boost::asio::steady_timer::time_point lazy_since_{};
  bool urgent_ = true;  ///< the first turn follows at once
  bool in_turn_ = false;
  bool closing_ = false;
  bool closed_ = false;
  bool ended_ = false;
  boost::asio::steady_timer timer_;
};

}  // namespace lathe::manager
