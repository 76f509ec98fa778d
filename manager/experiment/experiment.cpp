#include "experiment/experiment.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "experiment/agent_events.hpp"
#include "experiment/clock.hpp"
#include "experiment/requests.hpp"

namespace lathe::manager {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kLaziness = 20ms;      // a start or a metric may wait that long for company in its commit
constexpr auto kRunTimePeriod = 10s;  // how often run_ms is written while nothing else is
constexpr auto kDiskPause = 1s;       // until a full disk is looked at again
constexpr auto kLogPause = 10s;       // between lines of the log that say what is in the way
constexpr auto kFirstBackoff = 100ms;
constexpr auto kLongestBackoff = 5000ms;

constexpr Milliseconds period_ms = std::chrono::milliseconds(kRunTimePeriod).count();

}  // namespace

/// An edit that somebody waits for.
struct Experiment::Request {
  Request(const asio::any_io_executor& executor, Edit wanted)
      : edit(std::move(wanted)), answered(executor, Clock::time_point::max()) {}

  void answer(ServiceResult<void> with) {
    result = std::move(with);
    done = true;
    answered.cancel();
  }

  Edit edit;
  ServiceResult<void> result;
  bool done = false;
  asio::steady_timer answered;
};

Experiment::Experiment(ExperimentContext context, ExperimentState state)
    : context_(std::move(context)),
      state_(std::move(state)),
      tuner_(context_.database, context_.pool, context_.make_tuner),
      timer_(context_.executor) {
  state_.ticked_at = steady_now();
  saved_run_ms_ = state_.record().run_ms;
}

void Experiment::run(std::function<void()> ended) {
  auto body = [](std::shared_ptr<Experiment> self, std::function<void()> then) -> asio::awaitable<void> {
    // Not before whoever loaded the experiment has posted the request that it was loaded for.
    co_await asio::post(self->context_.executor, asio::use_awaitable);
    while (!self->is_over()) {
      co_await self->wait_for_work();
      if (!self->closed_) co_await self->take_turn_safely();
    }
    self->refuse_requests(self->mailbox_, "the daemon is being stopped");
    self->context_.fleet.dismiss(self->state_.id());
    self->ended_ = true;
    then();
  };
  asio::co_spawn(context_.executor, body(shared_from_this(), std::move(ended)), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
}

// ---- messages ----

void Experiment::post(Incoming message, bool urgent) {
  if (mailbox_.empty()) lazy_since_ = Clock::now();
  const bool was_empty = mailbox_.empty();
  mailbox_.push_back(std::move(message));
  if (urgent)
    wake();
  else if (was_empty)
    timer_.cancel();
}

void Experiment::wake() {
  urgent_ = true;
  timer_.cancel();
}

void Experiment::agent_greeted(std::string host, proto::Hello hello) {
  post(Greeting{std::move(host), std::move(hello)}, true);
}

void Experiment::host_lost(std::string host, std::string why) {
  post(Loss{std::move(host), std::move(why)}, true);
}

void Experiment::start_failed(std::string attempt, std::string why) {
  post(FailedStart{std::move(attempt), std::move(why)}, true);
}

void Experiment::agent_event(std::string state_id, proto::SequencedEvent event) {
  const bool urgent = std::holds_alternative<proto::TrialExited>(event.event);
  post(AgentMessage{std::move(state_id), std::move(event)}, urgent);
}

void Experiment::hosts_changed() {
  wake();
}

void Experiment::drain_changed() {
  wake();
}

void Experiment::begin_closing() {
  closing_ = true;
  wake();
}

void Experiment::close() {
  closed_ = true;
  timer_.cancel();
}

Answer<bool> Experiment::request(Edit edit) {
  const auto self = shared_from_this();
  if (ended_) co_return refuse(ServiceError::Kind::Unavailable, "the experiment is being unloaded; try again");
  const auto request = std::make_shared<Request>(context_.executor, std::move(edit));
  retry_at_ = {};
  post(request, true);
  boost::system::error_code ignored;
  while (!request->done) co_await request->answered.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (!request->result) co_return tl::unexpected(request->result.error());
  co_return true;
}

// ---- turns ----

bool Experiment::is_over() const {
  if (closed_) return true;
  return !urgent_ && mailbox_.empty() && is_at_rest(state_.record().status) && state_.running() == 0 &&
         !state_.preparing();
}

/// When the next turn is due if nothing else comes up.
Clock::time_point Experiment::next_turn() const {
  if (urgent_ && trouble_.empty()) return Clock::time_point::min();
  if (!trouble_.empty()) return retry_at_;
  auto due = look_again_;
  if (!mailbox_.empty()) due = std::min(due, lazy_since_ + kLaziness);
  if (!counts_time(state_.record().status)) return due;
  Milliseconds left = period_ms - (state_.record().run_ms - saved_run_ms_);
  if (const Situation s = state_.situation(); s.max_run_ms && s.run_ms < *s.max_run_ms) {
    left = std::min(left, *s.max_run_ms - s.run_ms);
  }
  const auto ticked = Clock::time_point(std::chrono::milliseconds(state_.ticked_at));
  return std::min(due, ticked + std::chrono::milliseconds(left + 1));
}

asio::awaitable<void> Experiment::wait_for_work() {
  boost::system::error_code ignored;
  while (!closed_) {
    const auto due = next_turn();
    if (due <= Clock::now()) co_return;
    timer_.expires_at(due);
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

/// The outermost net: a defect in one experiment's turn stops neither the daemon nor the other experiments.
asio::awaitable<void> Experiment::take_turn_safely() {
  std::deque<Incoming> batch = std::exchange(mailbox_, {});
  std::string defect;
  in_turn_ = !closing_;
  try {
    co_await take_turn(batch);
  } catch (const std::exception& error) {
    defect = error.what();
  }
  if (!defect.empty()) give_up(batch, {StorageError::Kind::Refused, "internal error: " + defect, {}});
  in_turn_ = false;
  context_.turn_ended();
}

asio::awaitable<void> Experiment::take_turn(std::deque<Incoming>& batch) {
  urgent_ = false;
  Turn turn(state_, unix_now(), steady_now(), context_.trial_grace.count());
  if (turn.state.record().run_ms - saved_run_ms_ >= period_ms) turn.experiment();
  for (Incoming& message : batch) take(turn, message);
  StorageResult<void> ready = co_await schedule(turn);
  if (!ready) {
    give_up(batch, ready.error());
    co_return;
  }
  co_await finish(turn, batch);
}

void Experiment::take(Turn& turn, Incoming& message) {
  if (auto* greeting = std::get_if<Greeting>(&message)) {
    if (std::optional<HostSpec> spec = spec_of(greeting->host))
      take_greeting(turn, {std::move(*spec), greeting->hello, {}}, context_.trial_program);
  } else if (auto* loss = std::get_if<Loss>(&message)) {
    const std::optional<HostSpec> spec = spec_of(loss->host);
    take_loss(turn, loss->host, loss->why, spec && spec->is_outlived());
  } else if (auto* failed = std::get_if<FailedStart>(&message)) {
    take_failed_start(turn, failed->attempt, failed->why);
  } else if (auto* event = std::get_if<AgentMessage>(&message)) {
    take_event(turn, event->state_id, event->event);
  } else {
    Request& request = *std::get<std::shared_ptr<Request>>(message);
    request.result = request.edit(turn);
  }
}

Decision Experiment::decide_for(const Turn& turn) {
  Situation s = turn.state.situation();
  s.closing = closing_;
  claim_places(turn.state);
  stations_ = stations_for(turn, s.obstacle);
  s.free_slots = static_cast<std::int64_t>(stations_.size());
  look_again_ = Clock::time_point::max();
  if (context_.drain.is_on()) {
    s.obstacle = "the daemon is being drained";
  } else if (std::string full = context_.disk.obstacle(); !full.empty()) {
    s.obstacle = std::move(full);
    look_again_ = Clock::now() + kDiskPause;
  }
  obstacle_ = is_at_rest(s.status) ? std::string() : s.obstacle;
  Decision decision = decide(s);
  wait_reason_ = trouble_.empty() ? decision.wait_reason : trouble_;
  log_obstacle();
  return decision;
}

/// A new obstacle; where they follow each other quickly, some of them.
void Experiment::log_obstacle() {
  if (obstacle_.empty() || obstacle_ == logged_obstacle_ || Clock::now() < logged_at_ + kLogPause) return;
  spdlog::info("experiment {}: trials wait: {}", state_.id(), obstacle_);
  logged_obstacle_ = obstacle_;
  logged_at_ = Clock::now();
}

/// Where trials could start now, as many as trialConcurrency leaves room for; with none, `obstacle` says why.
std::vector<Station> Experiment::stations_for(const Turn& turn, std::string& obstacle) {
  const Situation s = turn.state.situation();
  const std::int64_t most =
      s.preparation == PreparationState::Waiting ? 1 : std::max<std::int64_t>(0, s.concurrency - s.running);
  Offer offer = context_.fleet.offer(turn.state.id(), most);
  if (offer.places.empty()) obstacle = std::move(offer.reason);
  std::vector<Station> stations;
  for (Place& place : offer.places) {
    std::optional<Station> station = station_at(place.host);
    if (!station) continue;
    station->gpus = std::move(place.gpus);
    stations.push_back(std::move(*station));
  }
  return stations;
}

/// None: the host is not connected. The host's settings are those of this experiment.
std::optional<Station> Experiment::station_at(const std::string& host) const {
  const proto::Hello* hello = context_.fleet.hello(host);
  std::optional<HostSpec> spec = spec_of(host);
  if (hello == nullptr || !spec) return std::nullopt;
  return Station{std::move(*spec), *hello, {}};
}

std::optional<HostSpec> Experiment::spec_of(const std::string& host) const {
  for (HostSpec& spec : host_specs(*state_.config)) {
    if (spec.id == host) return std::move(spec);
  }
  return std::nullopt;
}

/// Tells the fleet what this experiment holds and could use.
void Experiment::claim_places(const ExperimentState& state) {
  Holdings holdings;
  for (const auto& [sequence, trial] : state.live) {
    if (trial->record.status != proto::TrialStatus::Running) continue;
    Holding& holding = holdings[trial->record.host];
    ++holding.trials;
    holding.gpus.insert(holding.gpus.end(), trial->record.gpus.begin(), trial->record.gpus.end());
  }
  if (state.preparing()) ++holdings[state.row.preparation_host].trials;
  std::int64_t wanted = 0;
  if (!is_at_rest(state.record().status)) {
    const Situation s = state.situation();
    const auto waiting = static_cast<std::int64_t>(s.waiting.size());
    const std::int64_t to_come = s.max_trials ? std::max<std::int64_t>(0, *s.max_trials - s.submitted) : s.concurrency;
    if (s.status == proto::ExperimentStatus::Initialized)
      wanted = 1;
    else if (counts_time(s.status))
      wanted = std::min(s.concurrency, s.running + waiting + to_come);
  }
  context_.fleet.claim(state.id(), std::move(holdings), wanted);
}

asio::awaitable<StorageResult<void>> Experiment::schedule(Turn& turn) {
  for (;;) {
    const Decision decision = decide_for(turn);
    turn.apply(decision, stations_, context_.trial_program);
    if (decision.suggest == 0) break;
    StorageResult<void> added = co_await add_suggestions(turn, decision.suggest);
    if (added) continue;
    if (added.error().kind == StorageError::Kind::Unavailable) co_return added;
    tuner_.forget();
    turn.fail(added.error().message);
  }
  claim_places(turn.state);
  co_return StorageResult<void>{};
}

asio::awaitable<StorageResult<void>> Experiment::add_suggestions(Turn& turn, std::int64_t count) {
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < count; ++i) ids.push_back(turn.state.record().next_sequence + i);
  std::vector<Lesson> lessons = std::exchange(turn.lessons, {});
  auto suggestions = co_await tuner_.suggest(state_, std::move(lessons), std::move(ids));
  if (!suggestions) co_return tl::unexpected(suggestions.error());
  for (auto& parameters : *suggestions) {
    if (!parameters) {
      turn.state.tuner_exhausted = true;
      break;
    }
    turn.add_trial(std::move(*parameters), "algorithm");
  }
  co_return StorageResult<void>{};
}

asio::awaitable<void> Experiment::finish(Turn& turn, std::deque<Incoming>& batch) {
  const auto rows = std::make_shared<const TurnRows>(turn.has_rows() ? turn.rows() : TurnRows{});
  if (turn.has_rows()) {
    WriteQueue::Job job = [rows](Connection& connection) { rows->write(connection); };
    StorageResult<void> written = co_await context_.database.write(std::move(job));
    if (!written) {
      give_up(batch, written.error());
      co_return;
    }
    saved_run_ms_ = rows->experiment.record.run_ms;
  }
  trouble_.clear();
  failure_.clear();
  backoff_ = 0ms;
  state_ = std::move(turn.state);
  tuner_.remember(std::move(turn.lessons));
  send(turn.messages);
  for (const HandledEvent& event : turn.handled) context_.fleet.commit(event.state_id, event.sequence);
  if (turn.has_rows()) publish(*rows, turn.config_changed());
  publish_waiting();
  co_await update_files(turn);
  for (Incoming& message : batch) {
    if (auto* request = std::get_if<std::shared_ptr<Request>>(&message)) (*request)->answer((*request)->result);
  }
}

void Experiment::send(std::vector<Message>& messages) {
  for (Message& message : messages) {
    if (auto* launch = std::get_if<Launch>(&message.content))
      context_.fleet.start(message.host, std::move(*launch));
    else
      context_.fleet.send(message.host, std::move(std::get<proto::ToAgent>(message.content)));
  }
}

/// The turn never happened: what the agent told is told again in the next one, which follows after a pause; requests
/// are refused.
void Experiment::give_up(std::deque<Incoming>& batch, const StorageError& error) {
  const std::string why = error.disk_full ? context_.disk.obstacle_after(error.message) : error.message;
  // How much is free changes from try to try, which is no news.
  if (std::exchange(failure_, error.message) != error.message) spdlog::error("experiment {}: {}", state_.id(), why);
  trouble_ = wait_reason_ = why;
  backoff_ = std::clamp<std::chrono::milliseconds>(backoff_ * 2, kFirstBackoff, kLongestBackoff);
  retry_at_ = Clock::now() + backoff_;
  tuner_.forget();
  claim_places(state_);
  refuse_requests(batch, why);
  mailbox_.insert(mailbox_.begin(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
  batch.clear();
  publish_waiting();
}

/// Takes the requests out of the messages and answers them.
void Experiment::refuse_requests(std::deque<Incoming>& messages, const std::string& why) {
  std::erase_if(messages, [&why](Incoming& message) {
    auto* request = std::get_if<std::shared_ptr<Request>>(&message);
    if (request != nullptr) (*request)->answer(refuse(ServiceError::Kind::Unavailable, why));
    return request != nullptr;
  });
}

}  // namespace lathe::manager
