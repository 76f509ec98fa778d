// All hosts that experiments use: one connection each, what is known of them, and who holds what there. Experiments ask
// it for places, claim them, and send through it; it tells its owner what happens. Loop thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <lathe/proto/frames.hpp>

#include "hosts/ack_tracker.hpp"
#include "hosts/host.hpp"
#include "hosts/host_slots.hpp"
#include "hosts/host_spec.hpp"
#include "hosts/host_status.hpp"
#include "hosts/log_requests.hpp"
#include "hosts/placement.hpp"

namespace lathe::manager {

/// What an experiment holds, by host.
struct Holding {
  std::int64_t trials = 0;         ///< its preparation included
  std::vector<std::int64_t> gpus;  ///< one entry for each trial and GPU
};
using Holdings = std::map<std::string, Holding>;

class Fleet {
 public:
  /// What the fleet tells. Called on the loop, never from inside a call to the fleet, but for `room`.
  struct Listener {
    std::function<void(const std::string& host, const proto::Hello&)> connected;
    std::function<void(const std::string& state_id, proto::SequencedEvent)> event;
    std::function<void(const std::string& host, const std::string& why)> disconnected;
    std::function<void(const std::string& host, const std::string& why)> lost;  ///< away for the grace time
    std::function<void(const std::string& trial_id, const std::string& why)> not_started;
    std::function<void()> room;                                 ///< somebody may find a place now who found none before
    std::function<void(const std::string& host)> changed = {};  ///< its status is another; may be empty
  };
  using MakeHost = std::function<std::unique_ptr<Host>(const HostSpec&)>;

  struct Options {
    std::optional<std::int64_t> local_slots;         ///< of this machine, where no config says otherwise
    std::chrono::milliseconds lost_after{60'000};    ///< how long a host may be away before its trials are given up
    std::chrono::milliseconds patience{30'000};      ///< how long a demand may be overtaken by smaller ones
    std::chrono::milliseconds refusal_pause{5'000};  ///< after a start that failed; doubles up to twelve times that
  };

  Fleet(boost::asio::any_io_executor executor, MakeHost make_host, Options options);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  void open(Listener listener, std::set<std::string> drained);

  // ---- experiments ----
  /// The experiment uses these hosts from now on; new ones are connected to.
  void enlist(const std::string& experiment, std::vector<HostSpec> specs, std::optional<std::int64_t> gpus);
  /// It does no longer. On hosts that nobody uses the agent is ended, but on this machine: nothing is left running
  /// there.
  void dismiss(const std::string& experiment);
  /// Places for up to `most` more of its trials. Nothing is reserved: claim() what is taken before anybody else asks.
  [[nodiscard]] Offer offer(const std::string& experiment, std::int64_t most);
  /// Everything it holds now, and how many trials it could run in all.
  void claim(const std::string& experiment, Holdings holdings, std::int64_t wanted);

  // ---- hosts ----
  /// None: not connected.
  [[nodiscard]] const proto::Hello* hello(const std::string& host) const;
  /// What its agent says of a trial that has not ended; empty: nothing.
  [[nodiscard]] std::string note(const std::string& host, const std::string& attempt) const;
  /// A piece of the log of an attempt that runs there; `read.request` is set here. None: the host cannot be asked now,
  /// or said nothing.
  [[nodiscard]] boost::asio::awaitable<std::optional<proto::LogText>> read_log(std::string host, proto::ReadLog read);
  [[nodiscard]] std::vector<std::string> connected() const;
  /// Whether an experiment names it.
  [[nodiscard]] bool is_used(const std::string& host) const;
  void send(const std::string& host, proto::ToAgent message);
  void start(const std::string& host, Launch launch);
  /// These events are in the database, or concern nobody.
  void commit(const std::string& state_id, std::uint64_t sequence);

  [[nodiscard]] std::vector<HostStatus> status() const;
  /// None: there is no such host.
  [[nodiscard]] std::optional<HostStatus> status(const std::string& host) const;
  /// Holds for a host of that name whether there is one now or not.
  void drain(const std::string& host, bool drained);
  [[nodiscard]] bool is_drained(const std::string& host) const { return drained_.contains(host); }

  [[nodiscard]] boost::asio::awaitable<void> close();

 private:
  struct Seat;
  struct User {
    std::vector<HostSpec> specs;
    std::optional<std::int64_t> gpus;
    Holdings holdings;
    std::optional<std::chrono::steady_clock::time_point> blocked_since;  ///< asked for GPUs in vain since then
  };

  Seat& seat_for(const HostSpec& spec);
  void retire(const std::shared_ptr<Seat>& seat);
  void forget_after(Seat& seat, std::chrono::milliseconds span);
  [[nodiscard]] HostStatus status_of(const Seat& seat) const;
  void connect(Seat& seat);
  void on_connected(Seat& seat, const proto::Hello& hello);
  void on_event(Seat& seat, proto::SequencedEvent event);
  void on_report(Seat& seat, proto::HostReport report);
  void on_disconnected(Seat& seat, const std::string& why);
  void on_not_started(Seat& seat, const std::string& trial_id, const std::string& why);
  void watch_for_loss(Seat& seat);
  void acknowledge(Seat& seat);
  void tell_changed(const std::string& host) const;
  void set_limits();
  [[nodiscard]] Candidate candidate(const std::string& experiment, const HostSpec& spec) const;
  [[nodiscard]] std::vector<GpuView> gpus_of(const Seat& seat) const;
  [[nodiscard]] std::string reservation_against(const std::string& experiment, const User& user,
                                                const std::string& host) const;

  boost::asio::any_io_executor executor_;
  MakeHost make_host_;
  Options options_;
  Listener listener_;
  std::map<std::string, std::shared_ptr<Seat>> seats_;
  std::set<std::shared_ptr<Seat>> retired_;  ///< whose agents are being ended
  std::map<std::string, User> users_;
  std::set<std::string> drained_;
  LogRequests logs_;
  bool opened_ = false;
};

}  // namespace lathe::manager
