#include "hosts/fleet.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/use_awaitable.hpp>

#include "hosts/fleet_seat.hpp"

namespace lathe::manager {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds kLogPatience{15};  // beyond what an agent was told to wait
constexpr std::chrono::seconds kRetirement{10};   // for tidying up and for an idle agent to end

}  // namespace

Fleet::Fleet(asio::any_io_executor executor, MakeHost make_host, Options options)
    : executor_(std::move(executor)), make_host_(std::move(make_host)), options_(options), logs_(executor_) {}

Fleet::~Fleet() = default;

void Fleet::open(Listener listener, std::set<std::string> drained) {
  listener_ = std::move(listener);
  drained_ = std::move(drained);
  // This machine is connected to without being asked for: whatever still runs there has to be found.
  seat_for(HostSpec{});
  opened_ = true;
  for (const auto& [id, seat] : seats_) connect(*seat);
}

// ---- experiments ----

void Fleet::enlist(const std::string& experiment, std::vector<HostSpec> specs, std::optional<std::int64_t> gpus) {
  for (const HostSpec& spec : specs) seat_for(spec);
  users_[experiment] = {std::move(specs), gpus, {}, {}};
  set_limits();
}

void Fleet::dismiss(const std::string& experiment) {
  const auto found = users_.find(experiment);
  if (found == users_.end()) return;
  // Trials that still run there are to be found by the next daemon.
  const Holdings left = std::move(found->second.holdings);
  const std::vector<HostSpec> specs = std::move(found->second.specs);
  users_.erase(found);
  bool freed = false;
  for (const auto& [id, seat] : seats_) freed = seat->slots.remove(experiment) || freed;
  set_limits();
  std::erase_if(seats_, [this, &left, &specs](const auto& entry) {
    const Seat& seat = *entry.second;
    const bool was_used =
        std::any_of(specs.begin(), specs.end(), [&seat](const HostSpec& spec) { return spec.id == seat.id(); });
    const bool is_needed = seat.spec.kind == HostSpec::Kind::Local || is_used(seat.id());
    if (!is_needed && !left.contains(entry.first)) retire(entry.second);
    if (is_needed && was_used && seat.hello) seat.host->tidy();
    return !is_needed;
  });
  if (freed && listener_.room) listener_.room();
}

/// Ends an agent that has nothing to do any more, and the connection to it. One that cannot be reached stays.
void Fleet::retire(const std::shared_ptr<Seat>& seat) {
  seat->retired = true;
  seat->refusal_timer.cancel();
  if (!seat->hello) return;
  retired_.insert(seat);
  seat->host->retire();
  forget_after(*seat, kRetirement);
}

void Fleet::forget_after(Seat& seat, std::chrono::milliseconds span) {
  seat.loss_timer.expires_after(span);
  seat.loss_timer.async_wait([this, &seat](boost::system::error_code error) {
    if (!error) std::erase_if(retired_, [&seat](const auto& held) { return held.get() == &seat; });
  });
}

Fleet::Seat& Fleet::seat_for(const HostSpec& spec) {
  auto& seat = seats_[spec.id];
  if (!seat) {
    seat = std::make_shared<Seat>(executor_, spec,
                                  spec.kind == HostSpec::Kind::Local ? options_.local_slots : std::nullopt);
    if (opened_) connect(*seat);
  } else {
    seat->spec = spec;
  }
  return *seat;
}

// ---- hosts ----

void Fleet::connect(Seat& seat) {
  seat.host = make_host_(seat.spec);
  // A host that goes tells nothing more.
  seat.host->open({
      [this, &seat](const proto::Hello& hello) { on_connected(seat, hello); },
      [this, &seat](proto::SequencedEvent event) { on_event(seat, std::move(event)); },
      [this, &seat](proto::HostReport report) { on_report(seat, std::move(report)); },
      [this, &seat](const std::string& why) { on_disconnected(seat, why); },
      [this, &seat](const std::string& trial_id, const std::string& why) { on_not_started(seat, trial_id, why); },
      [&seat](proto::TrialNote note) { seat.notes[note.trial_id] = std::move(note.text); },
      [this](proto::LogText text) { logs_.answer(std::move(text)); },
  });
  watch_for_loss(seat);
}

void Fleet::on_connected(Seat& seat, const proto::Hello& hello) {
  spdlog::info("agent {} (pid {}) is connected, {} trials run there", seat.id(), hello.pid, hello.running.size());
  if (hello.state_id != seat.agent_state) seat.acks = {};
  seat.agent_state = hello.state_id;
  seat.hello = hello;
  seat.trouble.clear();
  seat.loss_timer.cancel();
  listener_.connected(seat.id(), hello);
  tell_changed(seat.id());
}

void Fleet::on_event(Seat& seat, proto::SequencedEvent event) {
  if (std::holds_alternative<proto::TrialStarted>(event.event)) seat.refusal_pause = {};
  if (const auto* exited = std::get_if<proto::TrialExited>(&event.event)) seat.notes.erase(exited->trial_id);
  if (seat.acks.receive(event.sequence)) listener_.event(seat.agent_state, std::move(event));
}

void Fleet::on_report(Seat& seat, proto::HostReport report) {
  seat.report = std::move(report);
  if (!seat.report->gpus.empty()) listener_.room();
  tell_changed(seat.id());
}

void Fleet::on_disconnected(Seat& seat, const std::string& why) {
  if (seat.retired) {
    forget_after(seat, std::chrono::milliseconds(0));
    return;
  }
  const bool was_connected = seat.hello.has_value();
  const bool is_news = was_connected || why != seat.trouble;
  if (is_news) spdlog::warn("agent {}: {}", seat.id(), why);
  seat.hello.reset();
  seat.report.reset();
  seat.notes.clear();
  logs_.host_gone(seat.id());
  seat.trouble = why;
  if (was_connected) watch_for_loss(seat);
  if (is_news) listener_.disconnected(seat.id(), why);
  if (is_news) tell_changed(seat.id());
}

/// A host that cannot take what a trial needs is left alone for a while, so that its trials go elsewhere or wait for
/// it, and do not fail one by one.
void Fleet::on_not_started(Seat& seat, const std::string& trial_id, const std::string& why) {
  if (why != seat.refusal) spdlog::warn("agent {}: {} was not started: {}", seat.id(), trial_id, why);
  seat.refusal = why;
  seat.refusal_pause = std::clamp(seat.refusal_pause * 2, options_.refusal_pause, options_.refusal_pause * 12);
  seat.refusal_timer.expires_after(seat.refusal_pause);
  seat.refusal_timer.async_wait([this, id = seat.id()](boost::system::error_code error) {
    if (error) return;
    const auto found = seats_.find(id);
    if (found == seats_.end()) return;
    found->second->refusal.clear();
    listener_.room();
  });
  listener_.not_started(trial_id, why);
}

/// This machine cannot be lost, nor the jobs it has handed to a cluster: where the daemon lives, an agent can be
/// started. A machine that hands jobs to a cluster is lost again and again, for the trials that are to end meanwhile.
void Fleet::watch_for_loss(Seat& seat) {
  if (!seat.spec.address) return;
  seat.loss_timer.expires_after(options_.lost_after);
  seat.loss_timer.async_wait([this, id = seat.id()](boost::system::error_code error) {
    if (error) return;
    const auto found = seats_.find(id);
    if (found == seats_.end() || found->second->hello) return;
    if (found->second->spec.is_outlived()) watch_for_loss(*found->second);
    listener_.lost(id, found->second->trouble);
  });
}

const proto::Hello* Fleet::hello(const std::string& host) const {
  const auto found = seats_.find(host);
  return found != seats_.end() && found->second->hello ? &*found->second->hello : nullptr;
}

std::string Fleet::note(const std::string& host, const std::string& attempt) const {
  const auto found = seats_.find(host);
  if (found == seats_.end()) return {};
  const auto note = found->second->notes.find(attempt);
  return note == found->second->notes.end() ? std::string() : note->second;
}

asio::awaitable<std::optional<proto::LogText>> Fleet::read_log(std::string host, proto::ReadLog read) {
  const proto::Hello* known = hello(host);
  if (known == nullptr || !known->reads_logs) co_return std::nullopt;
  read.request = logs_.next();
  const auto limit = std::chrono::milliseconds(read.wait_ms) + kLogPatience;
  send(host, read);
  co_return co_await logs_.answer_to(read.request, std::move(host), limit);
}

std::vector<std::string> Fleet::connected() const {
  std::vector<std::string> ids;
  for (const auto& [id, seat] : seats_) {
    if (seat->hello) ids.push_back(id);
  }
  return ids;
}

bool Fleet::is_used(const std::string& host) const {
  return std::any_of(users_.begin(), users_.end(), [&host](const auto& user) {
    return std::any_of(user.second.specs.begin(), user.second.specs.end(),
                       [&host](const HostSpec& spec) { return spec.id == host; });
  });
}

void Fleet::send(const std::string& host, proto::ToAgent message) {
  if (const auto found = seats_.find(host); found != seats_.end() && found->second->host)
    found->second->host->send(std::move(message));
}

void Fleet::start(const std::string& host, Launch launch) {
  if (const auto found = seats_.find(host); found != seats_.end() && found->second->host)
    found->second->host->start(std::move(launch));
}

void Fleet::commit(const std::string& state_id, std::uint64_t sequence) {
  for (const auto& [id, seat] : seats_) {
    if (seat->agent_state != state_id) continue;
    seat->acks.commit(sequence);
    acknowledge(*seat);
  }
}

void Fleet::acknowledge(Seat& seat) {
  if (!seat.hello) return;
  if (const auto sequence = seat.acks.take_ack()) seat.host->send(proto::Ack{*sequence});
}

std::vector<HostStatus> Fleet::status() const {
  std::vector<HostStatus> all;
  for (const auto& [id, seat] : seats_) all.push_back(status_of(*seat));
  return all;
}

std::optional<HostStatus> Fleet::status(const std::string& host) const {
  const auto found = seats_.find(host);
  if (found == seats_.end()) return std::nullopt;
  return status_of(*found->second);
}

HostStatus Fleet::status_of(const Seat& seat) const {
  HostStatus status;
  status.spec = seat.spec;
  if (status.spec.address) status.spec.address->password = status.spec.address->passphrase = proto::Secret();
  status.connected = seat.hello.has_value();
  status.drained = drained_.contains(seat.id());
  status.trouble = seat.hello ? seat.refusal : seat.trouble;
  status.hello = seat.hello;
  status.report = seat.report;
  for (const auto& [experiment, user] : users_) {
    const auto holding = user.holdings.find(seat.id());
    if (holding != user.holdings.end() && holding->second.trials > 0)
      status.trials[experiment] = holding->second.trials;
  }
  return status;
}

void Fleet::drain(const std::string& host, bool drained) {
  if (drained)
    drained_.insert(host);
  else
    drained_.erase(host);
  if (listener_.room) listener_.room();
  tell_changed(host);
}

void Fleet::tell_changed(const std::string& host) const {
  if (listener_.changed) listener_.changed(host);
}

asio::awaitable<void> Fleet::close() {
  for (const auto& [id, seat] : seats_) {
    seat->loss_timer.cancel();
    seat->refusal_timer.cancel();
    if (seat->host) co_await seat->host->close();
  }
  retired_.clear();
}

}  // namespace lathe::manager
