// An agent in memory: keeps the promises of frames.hpp (idempotent starts, a spool that survives connections) and
// lets a test decide how trials end. It outlives the manager under test, as the real one does.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/post.hpp>

#include <lathe/proto/trial_files.hpp>

#include "hosts/host.hpp"

namespace lathe::manager {

class FakeAgent {
 public:
  std::string state_id = "state-1";
  std::vector<proto::StartTrial> started;  ///< processes really started, in order
  std::vector<proto::KillTrial> kills;
  std::map<std::string, proto::StartTrial> running;
  std::deque<proto::SequencedEvent> spool;  ///< not acknowledged
  std::uint64_t sequence = 0;
  std::uint64_t acknowledged = 0;
  int shutdowns = 0;
  bool reachable = true;
  bool kills_at_once = true;  ///< a KillTrial ends the process right away
  std::string refusal;        ///< why what trials need cannot be brought there; empty: it can
  std::string root;           ///< as Hello has it
  std::string trial_program;  ///< as Hello has it
  /// Called when a process starts; empty: it runs until the test ends it.
  std::function<void(FakeAgent&, const proto::StartTrial&)> on_start;

  // ---- what processes do ----
  void emit(proto::AgentEvent event) {
    spool.push_back({++sequence, std::move(event)});
    if (deliver) deliver(spool.back());
  }

  void report(const std::string& id, proto::MetricType type, std::int64_t number, const std::string& value) {
    const char* name = type == proto::MetricType::Final ? "FINAL" : "PERIODICAL";
    nlohmann::ordered_json payload{
        {"parameter_id", 0}, {"trial_job_id", "x"}, {"type", name}, {"sequence", number}, {"value", value}};
    emit(proto::TrialMetric{id, payload.dump(), 1000});
  }

  void report_final(const std::string& id, double value) {
    report(id, proto::MetricType::Final, 0, nlohmann::json(value).dump());
  }

  void exit(const std::string& id, int code, const std::string& killed_by = {}, const std::string& stderr_tail = {}) {
    if (running.erase(id) == 0) return;
    proto::TrialExited exited;
    exited.trial_id = id;
    exited.exit_code = code;
    exited.killed_by = killed_by;
    exited.stderr_tail = stderr_tail;
    exited.time_ms = 2000;
    emit(std::move(exited));
  }

  void lose(const std::string& id) {
    running.erase(id);
    proto::TrialExited exited;
    exited.trial_id = id;
    exited.lost = true;
    exited.error = "agent was killed";
    emit(std::move(exited));
  }

  /// The state folder is gone: another agent that knows nothing.
  void forget_everything(const std::string& new_state) {
    state_id = new_state;
    running.clear();
    known.clear();
    spool.clear();
    sequence = 0;
  }

  // ---- what the daemon says ----
  void receive(const proto::ToAgent& message) {
    if (const auto* start = std::get_if<proto::StartTrial>(&message))
      receive_start(*start);
    else if (const auto* kill = std::get_if<proto::KillTrial>(&message))
      receive_kill(*kill);
    else if (const auto* ack = std::get_if<proto::Ack>(&message))
      receive_ack(*ack);
    else
      receive_shutdown(std::get<proto::Shutdown>(message));
  }

  std::function<void(const proto::SequencedEvent&)> deliver;  ///< set while connected
  std::function<void()> hang_up;

 private:
  void receive_start(const proto::StartTrial& start) {
    if (!known.insert(start.trial_id).second) return;
    started.push_back(start);
    running[start.trial_id] = start;
    emit(proto::TrialStarted{start.trial_id, 4000 + static_cast<std::int64_t>(started.size()), 1000});
    if (on_start) on_start(*this, start);
  }

  void receive_kill(const proto::KillTrial& kill) {
    kills.push_back(kill);
    if (kills_at_once) exit(kill.trial_id, 143, kill.reason);
  }

  void receive_ack(const proto::Ack& ack) {
    acknowledged = std::max(acknowledged, ack.sequence);
    std::erase_if(spool, [&](const proto::SequencedEvent& event) { return event.sequence <= ack.sequence; });
  }

  void receive_shutdown(const proto::Shutdown& shutdown) {
    ++shutdowns;
    const auto all = running;
    for (const auto& [id, start] : all) exit(id, 143, shutdown.reason);
    if (hang_up) hang_up();
  }

  std::set<std::string> known;
};

/// The connection of one manager to the agent.
class FakeHost final : public Host {
 public:
  FakeHost(boost::asio::any_io_executor executor, std::shared_ptr<FakeAgent> agent, std::string name = "local")
      : executor_(std::move(executor)),
        agent_(std::move(agent)),
        self_(std::make_shared<FakeHost*>(this)),
        name_(std::move(name)) {}
  ~FakeHost() override {
    detach();
    if (on_gone) on_gone();
  }

  std::function<void()> on_gone;

  const std::string& name() const override { return name_; }
  bool connected() const override { return connected_; }

  void open(Listener listener) override {
    listener_ = std::move(listener);
    post([](FakeHost& host) { host.connect(); });
  }

  void send(proto::ToAgent message) override {
    if (!connected_) return;
    post([message = std::move(message)](FakeHost& host) {
      if (host.connected_) host.agent_->receive(message);
    });
  }

  void start(Launch launch) override {
    if (agent_->refusal.empty()) {
      send(std::move(launch.start));
      return;
    }
    post([id = launch.start.trial_id, why = agent_->refusal](FakeHost& host) {
      if (host.listener_.not_started) host.listener_.not_started(id, why);
    });
  }

  void report(proto::HostReport report) { listener_.report(std::move(report)); }
  void note(proto::TrialNote note) { listener_.note(std::move(note)); }

  boost::asio::awaitable<void> close() override {
    detach();
    listener_ = {};
    co_return;
  }

  void connect() {
    if (!agent_->reachable) {
      if (listener_.disconnected) listener_.disconnected("nobody there");
      return;
    }
    connected_ = true;
    agent_->deliver = [this](const proto::SequencedEvent& event) {
      post([event](FakeHost& host) {
        if (host.connected_ && host.listener_.event) host.listener_.event(event);
      });
    };
    agent_->hang_up = [this] { post([](FakeHost& host) { host.disconnect("hung up"); }); };
    proto::Hello hello;
    hello.state_id = agent_->state_id;
    hello.last_sequence = agent_->sequence;
    hello.root = agent_->root;
    hello.trial_program = agent_->trial_program;
    for (const auto& [id, start] : agent_->running) hello.running.push_back(id);
    if (listener_.connected) listener_.connected(hello);
    const auto unacknowledged = agent_->spool;
    for (const proto::SequencedEvent& event : unacknowledged) listener_.event(event);
  }

  void disconnect(const std::string& why) {
    if (!connected_) return;
    detach();
    if (listener_.disconnected) listener_.disconnected(why);
  }

 private:
  void detach() {
    connected_ = false;
    if (agent_) agent_->deliver = nullptr;
    if (agent_) agent_->hang_up = nullptr;
  }

  template <class Work>
  void post(Work work) {
    boost::asio::post(executor_, [weak = std::weak_ptr(self_), work = std::move(work)] {
      if (const auto alive = weak.lock()) work(**alive);
    });
  }

  boost::asio::any_io_executor executor_;
  std::shared_ptr<FakeAgent> agent_;
  std::shared_ptr<FakeHost*> self_;
  Listener listener_;
  std::string name_;
  bool connected_ = false;
};

}  // namespace lathe::manager
