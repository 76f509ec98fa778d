#include "agent.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/post.hpp>

#include <lathe/proto/warm_start.hpp>

#include "clock.hpp"
#include "lost_trial.hpp"
#include "stderr_tail.hpp"
#include "trial_folder.hpp"
#include "version.hpp"

namespace lathe::agent {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr std::size_t metric_chunk = 1 << 20;      ///< of a metrics file at one turn of the loop
constexpr std::size_t batch_bytes = 256 * 1024;    ///< of frames in one write
constexpr std::size_t largest_backlog = 64 << 20;  ///< beyond it metrics wait in the trials' own files
constexpr milliseconds retry_interval{1000};
constexpr milliseconds poll_interval{500};
constexpr milliseconds farewell_time{2000};  ///< for the daemon to acknowledge the last events of a shutdown
constexpr std::string_view terminated = "requeue";

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? to_valid_utf8(name.data()) : "unknown";
}

proto::TrialExited failed_start(const std::string& trial_id, const std::string& error) {
  proto::TrialExited exited;
  exited.trial_id = trial_id;
  exited.error = to_valid_utf8(error);
  exited.time_ms = unix_time_ms();
  return exited;
}

/// Asio leaves its sockets open across an exec.
void close_on_exec(int fd) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/// A child of ours that has ended and is not reaped; pid 0: none.
siginfo_t peek_child() {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) info.si_pid = 0;
  return info;
}

}  // namespace

// ---- opening --------------------------------------------------------------------------------------------------------

proto::Result<std::unique_ptr<Agent>> Agent::open(asio::io_context& io, AgentOptions options, spdlog::logger& log) {
  auto spool = Spool::open(options.state_dir / "spool");
  if (!spool) return tl::unexpected<proto::Error>(spool.error());
  auto socket = SocketPath::open(options.state_dir);
  if (!socket) return tl::unexpected<proto::Error>(socket.error());
  auto agent = std::make_unique<Agent>(io, std::move(options), log, std::move(*spool), std::move(*socket));
  agent->report_lost_trials();
  if (const auto listening = agent->listen(); !listening) return tl::unexpected<proto::Error>(listening.error());
  return agent;
}

Agent::Agent(asio::io_context& io, AgentOptions options, spdlog::logger& log, Spool spool, SocketPath socket)
    : io_(io),
      options_(std::move(options)),
      log_(log),
      spool_(std::move(spool)),
      socket_(std::move(socket)),
      shell_(find_shell()),
      boot_id_(read_boot_id()),
      children_(io, SIGCHLD),
      termination_(io, SIGTERM, SIGINT),
      acceptor_(io),
      watch_(io, [this](const std::string& trial_id) { advance(trial_id); }),
      warm_parents_(io, shell_, log),
      accept_timer_(io),
      idle_timer_(io),
      spool_timer_(io),
      poll_timer_(io),
      shutdown_timer_(io) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  wait_for_children();
  wait_for_termination();
}

void Agent::report_lost_trials() {
  std::vector<RunningTrial> lost;
  for (const auto& [trial_id, trial] : spool_.running()) lost.push_back(trial);
  for (const RunningTrial& trial : end_lost_trials(lost)) {
    log_.error("trial {}: process group {} of a former agent does not die", trial.trial_id, trial.process.pid);
  }
  for (const RunningTrial& trial : lost) {
    MetricTail tail(metrics_file(trial.directory), trial.metrics_end);
    for (bool at_end = false; !at_end;) {
      MetricTail::Chunk chunk = tail.read(metric_chunk, true);
      at_end = chunk.at_end;
      std::vector<NewEvent> events;
      for (auto& [payload, end] : chunk.metrics) {
        events.push_back({proto::TrialMetric{trial.trial_id, std::move(payload), unix_time_ms()}, end});
      }
      spool_.append(events);
    }
    proto::TrialExited exited = failed_start(trial.trial_id, "the agent was killed; how the trial ended is unknown");
    exited.lost = true;
    exited.stderr_tail = read_tail(std::filesystem::path(trial.directory) / "stderr");
    record({{std::move(exited), std::nullopt}});
    log_.warn("trial {} was lost with a former agent", trial.trial_id);
  }
}

// ---- connections ----------------------------------------------------------------------------------------------------

proto::Result<void> Agent::listen() {
  const std::string path = socket_.text();
  // The lock is ours, so a socket that is there belongs to nobody.
  ::unlink(path.c_str());
  error_code error;
  acceptor_.open({}, error);
  if (!error) close_on_exec(acceptor_.native_handle());
  if (!error) acceptor_.bind(path, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return proto::fail("cannot listen on " + (options_.state_dir / "socket").string() + ": " + error.message());
  accept();
  check_idle();
  return {};
}

void Agent::accept() {
  acceptor_.async_accept([this](const error_code& error, Connection::Socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      greet(std::move(socket));
      return accept();
    }
    log_.error("cannot accept a connection: {}", error.message());
    accept_timer_.expires_after(retry_interval);
    accept_timer_.async_wait([this](const error_code& aborted) {
      if (!aborted) accept();
    });
  });
}

void Agent::greet(Connection::Socket socket) {
  close_on_exec(socket.native_handle());
  if (connection_) connection_->close();
  connection_ = std::make_shared<Connection>(std::move(socket), static_cast<ConnectionHandler&>(*this));
  is_greeted_ = false;
  sent_sequence_ = 0;
  log_.info("a daemon has connected; {} events wait for it", spool_.unacknowledged().size());
  check_idle();
  connection_->start();
}

proto::Hello Agent::hello() const {
  proto::Hello hello;
  hello.version = version;
  hello.host = host_name();
  hello.pid = ::getpid();
  hello.state_id = spool_.state_id();
  hello.last_sequence = spool_.last_written();
  for (const auto& [trial_id, trial] : trials_) hello.running.push_back(trial_id);
  return hello;
}

std::string Agent::next_frames() {
  std::string frames;
  if (!std::exchange(is_greeted_, true)) frames = proto::encode_frame(proto::FromAgent(hello()));
  const auto& events = spool_.unacknowledged();
  if (events.empty()) return frames;
  const std::uint64_t first = events.front().sequence;
  const std::uint64_t next = std::max(first, sent_sequence_ + 1);
  for (std::size_t i = next - first; i < events.size() && frames.size() < batch_bytes; ++i) {
    if (events[i].sequence > spool_.last_written()) break;
    frames += proto::frame_json(events[i].json);
    sent_sequence_ = events[i].sequence;
  }
  return frames;
}

void Agent::on_disconnected(const std::string& reason) {
  log_.info("the daemon has gone: {}", reason);
  connection_.reset();
  check_idle();
  check_shutdown();
}

// ---- messages of the daemon -----------------------------------------------------------------------------------------

void Agent::on_message(const proto::ToAgent& message) {
  std::visit([this](const auto& alternative) { handle(alternative); }, message);
}

void Agent::handle(const proto::StartTrial& start) {
  // Ending, it leaves the trial to its successor: the daemon asks again after the next Hello.
  if (is_shutting_down_ || spool_.knows(start.trial_id)) return;
  const auto started = start_trial(start);
  if (started) return;
  log_.warn("trial {} cannot be started: {}", start.trial_id, started.error().message);
  record({{failed_start(start.trial_id, started.error().message), std::nullopt}});
}

proto::Result<void> Agent::start_trial(const proto::StartTrial& start) {
  auto folder = lay_out(start);
  if (!folder) return tl::unexpected<proto::Error>(folder.error());
  const bool is_watched = watch_.add(start.trial_id, metrics_folder(start.directory));
  auto environment = start.environment;
  environment.emplace("LATHE_HOST_DIRECTORY", options_.state_dir.string());
  auto process =
      make_process(start.trial_id, {shell_, start.command, std::move(environment), std::move(folder->working_directory),
                                    std::move(folder->standard_output), std::move(folder->standard_error)});
  const auto stat = process ? read_process_stat(process->pid()) : std::nullopt;
  const RunningTrial running{start.trial_id,
                             {process ? process->pid() : 0, stat ? stat->start_ticks : 0, boot_id_},
                             ::getsid(0),
                             start.directory,
                             0};
  const auto journalled = process ? spool_.start(running, {start.trial_id, process->pid(), unix_time_ms()})
                                  : tl::unexpected(process.error());
  if (!journalled) {
    watch_.remove(start.trial_id);
    warm_parents_.trial_ended(start.trial_id);
    return journalled;
  }
  for (const auto& [trial_id, trial] : trials_) {
    if (trial->pid() == process->pid()) trial->forget_group();
  }
  const auto trial = std::make_shared<Trial>(io_, start.trial_id, start.directory, std::move(*process),
                                             [this, trial_id = start.trial_id] { advance(trial_id); });
  trials_[start.trial_id] = trial;
  trial->release();
  if (start.max_duration_s) trial->limit_duration(std::chrono::seconds(*start.max_duration_s));
  if (!is_watched) start_polling();
  check_idle();
  if (connection_) connection_->wake();
  return {};
}

/// A fork of a warm parent where there is one, else a process of its own.
proto::Result<GatedProcess> Agent::make_process(const std::string& trial_id, Command command) {
  const auto server = command.environment.extract(std::string(proto::warm_parent_variable));
  if (!server.empty() && !server.mapped().empty()) {
    if (auto forked = warm_parents_.start_trial(server.mapped(), trial_id, command)) return std::move(*forked);
  }
  return GatedProcess::start(command);
}

void Agent::handle(const proto::KillTrial& kill) {
  if (const auto trial = trials_.find(kill.trial_id); trial != trials_.end()) {
    trial->second->kill(kill.reason, milliseconds(kill.grace_ms));
  }
}

void Agent::handle(const proto::Ack& ack) {
  const bool was_full = spool_.backlog() > largest_backlog;
  spool_.acknowledge(ack.sequence);
  if (was_full && spool_.backlog() <= largest_backlog) advance_all();
  check_shutdown();
}

void Agent::handle(const proto::Shutdown& shutdown) {
  log_.info("shutting down: {}", shutdown.reason);
  is_shutting_down_ = true;
  for (const auto& [trial_id, trial] : trials_) trial->kill(shutdown.reason, milliseconds(shutdown.grace_ms));
  check_shutdown();
}

// ---- trials ---------------------------------------------------------------------------------------------------------

void Agent::wait_for_children() {
  children_.async_wait([this](const error_code& error, int) {
    if (error) return;
    reap_children();
    wait_for_children();
  });
}

/// A trial's leader is looked at before it is reaped: until then its group cannot belong to anybody else.
void Agent::reap_children() {
  for (siginfo_t child = peek_child(); child.si_pid != 0; child = peek_child()) {
    for (const auto& [trial_id, trial] : trials_) {
      if (trial->pid() == child.si_pid && !trial->has_ended()) trial->leader_ended(child);
    }
    warm_parents_.child_ended(child);
    ::waitpid(child.si_pid, nullptr, 0);
  }
  std::vector<std::string> ended;
  for (const auto& [trial_id, trial] : trials_) {
    trial->check_group();
    if (trial->is_over()) ended.push_back(trial_id);
  }
  for (const std::string& trial_id : ended) advance(trial_id);
}

void Agent::wait_for_termination() {
  termination_.async_wait([this](const error_code& error, int) {
    if (error) return;
    handle(proto::Shutdown{std::string(terminated)});
    wait_for_termination();
  });
}

/// Takes in what the trial has written since, and reports its end when there is nothing more to come.
void Agent::advance(const std::string& trial_id) {
  const auto found = trials_.find(trial_id);
  if (found == trials_.end() || spool_.backlog() > largest_backlog) return;
  const std::shared_ptr<Trial> trial = found->second;
  const bool is_over = trial->is_over();
  MetricTail::Chunk chunk = trial->metrics().read(metric_chunk, is_over);
  std::vector<NewEvent> events;
  for (auto& [payload, end] : chunk.metrics) {
    events.push_back({proto::TrialMetric{trial_id, std::move(payload), unix_time_ms()}, end});
  }
  if (is_over && chunk.at_end) return finish(*trial, std::move(events));
  record(events);
  if (!chunk.at_end) asio::post(io_, [this, trial_id] { advance(trial_id); });
}

void Agent::advance_all() {
  std::vector<std::string> trial_ids;
  for (const auto& [trial_id, trial] : trials_) trial_ids.push_back(trial_id);
  for (const std::string& trial_id : trial_ids) advance(trial_id);
}

void Agent::finish(Trial& trial, std::vector<NewEvent> events) {
  if (trial.metrics().damaged() > 0) {
    log_.warn("trial {}: {} damaged metric frames were skipped", trial.id(), trial.metrics().damaged());
  }
  watch_.remove(trial.id());
  warm_parents_.trial_ended(trial.id());
  events.push_back({trial.exit_event(), std::nullopt});
  record(events);
  trials_.erase(trial.id());
  check_idle();
  check_shutdown();
}

// ---- events, time and the end ---------------------------------------------------------------------------------------

void Agent::record(const std::vector<NewEvent>& events) {
  if (events.empty()) return;
  const bool was_waiting = spool_.is_waiting_for_disk();
  spool_.append(events);
  if (connection_) connection_->wake();
  if (spool_.is_waiting_for_disk() && !was_waiting) {
    log_.error("{} cannot be written; events stay in memory until it can", (options_.state_dir / "spool").string());
    retry_spool();
  }
}

void Agent::retry_spool() {
  spool_timer_.expires_after(retry_interval);
  spool_timer_.async_wait([this](const error_code& error) {
    if (error) return;
    if (const auto flushed = spool_.flush(); !flushed) return retry_spool();
    log_.info("the spool can be written again");
    if (connection_) connection_->wake();
    check_shutdown();
  });
}

/// For when the kernel has no watches left: looks at every metrics file now and then while trials run.
void Agent::start_polling() {
  if (std::exchange(is_polling_, true)) return;
  log_.warn("no more inotify watches: metrics are looked for every {} ms", poll_interval.count());
  poll_metrics();
}

void Agent::poll_metrics() {
  poll_timer_.expires_after(poll_interval);
  poll_timer_.async_wait([this](const error_code& error) {
    is_polling_ = !error && !trials_.empty();
    if (!is_polling_) return;
    advance_all();
    poll_metrics();
  });
}

void Agent::check_idle() {
  idle_timer_.cancel();
  if (connection_ || !trials_.empty()) return;
  idle_timer_.expires_after(options_.idle_exit);
  idle_timer_.async_wait([this](const error_code& error) {
    if (error || connection_ || !trials_.empty()) return;
    log_.info("no daemon and no trials for {} s: exiting", options_.idle_exit.count());
    stop();
  });
}

void Agent::check_shutdown() {
  if (!is_shutting_down_ || !trials_.empty()) return;
  if (!connection_ || spool_.unacknowledged().empty()) return stop();
  if (std::exchange(is_saying_farewell_, true)) return;
  shutdown_timer_.expires_after(farewell_time);
  shutdown_timer_.async_wait([this](const error_code& error) {
    if (!error) stop();
  });
}

void Agent::stop() {
  ::unlink(socket_.text().c_str());
  if (const auto compacted = spool_.compact(); !compacted) log_.error("{}", compacted.error().message);
  io_.stop();
}

}  // namespace lathe::agent
