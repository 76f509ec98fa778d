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

#include "experiment/drain_switch.hpp"
#include "experiment/host_slots.hpp"
#include "experiment/service.hpp"
#include "experiment/tuner_seat.hpp"
#include "experiment/turn.hpp"

namespace lathe::manager {

/// What experiments share and the manager owns; outlives them.
struct ExperimentContext {
  boost::asio::any_io_executor executor;
  Database& database;
  boost::asio::thread_pool& pool;
  EventBus& events;
  HostSlots& slots;
  const DrainSwitch& drain;
  std::string host;  ///< name of the host, for wait reasons
  std::filesystem::path trial_program;
  std::chrono::milliseconds trial_grace{5000};
  MakeTuner make_tuner;
  std::function<void(proto::ToAgent)> send;
  std::function<void(const std::vector<HandledEvent>&)> handled;  ///< these are committed
  std::function<void()> slots_changed;                            ///< other experiments may have room now
  std::function<void()> turn_ended;
};

class Experiment : public std::enable_shared_from_this<Experiment> {
 public:
  Experiment(ExperimentContext context, ExperimentState state);

  /// Takes turns until the experiment is at rest and nothing waits, or close() is called; then calls `ended`.
  void run(std::function<void()> ended);

  [[nodiscard]] const ExperimentState& state() const { return state_; }
  [[nodiscard]] const std::string& wait_reason() const { return wait_reason_; }

  // ---- messages ----
  void agent_greeted(proto::Hello hello);
  void agent_lost(std::string why);
  void agent_event(std::string state_id, proto::SequencedEvent event);
  void slots_freed();
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
    proto::Hello hello;
  };
  struct Loss {
    std::string why;
  };
  struct AgentMessage {
    std::string state_id;
    proto::SequencedEvent event;
  };
  struct Request;
  using Message = std::variant<Greeting, Loss, AgentMessage, std::shared_ptr<Request>>;

  void post(Message message, bool urgent);
  void wake();
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] boost::asio::steady_timer::time_point next_turn() const;
  [[nodiscard]] boost::asio::awaitable<void> wait_for_work();
  [[nodiscard]] boost::asio::awaitable<void> take_turn_safely();
  [[nodiscard]] boost::asio::awaitable<void> take_turn(std::deque<Message>& batch);
  void take(Turn& turn, Message& message);
  [[nodiscard]] boost::asio::awaitable<StorageResult<void>> schedule(Turn& turn);
  [[nodiscard]] boost::asio::awaitable<StorageResult<void>> add_suggestions(Turn& turn, std::int64_t count);
  [[nodiscard]] Decision decide_for(const Turn& turn);
  void claim_slots(const ExperimentState& state);
  [[nodiscard]] boost::asio::awaitable<void> finish(Turn& turn, std::deque<Message>& batch);
  void give_up(std::deque<Message>& batch, const StorageError& error);
  void refuse_requests(std::deque<Message>& messages, const std::string& why);
  void publish(const TurnRows& rows, bool with_config);
  void publish_waiting();
  [[nodiscard]] boost::asio::awaitable<void> update_files(const Turn& turn);

  ExperimentContext context_;
  ExperimentState state_;
  TunerSeat tuner_;
  AgentView agent_;
  std::deque<Message> mailbox_;
  std::string wait_reason_;
  std::string told_reason_;        ///< the wait reason that was published last
  Milliseconds saved_run_ms_ = 0;  ///< run_ms in the database
  std::string trouble_;            ///< why the last commit failed; empty: it did not
  std::chrono::milliseconds backoff_{0};
  boost::asio::steady_timer::time_point retry_at_{};
  boost::asio::steady_timer::time_point lazy_since_{};
  bool urgent_ = true;  ///< the first turn follows at once
  bool in_turn_ = false;
  bool closing_ = false;
  bool closed_ = false;
  bool ended_ = false;
  boost::asio::steady_timer timer_;
};

}  // namespace lathe::manager
