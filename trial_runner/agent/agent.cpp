#include "agent.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "pai/pai_launcher.hpp"
#include "process_launcher.hpp"
#include "slurm/slurm_launcher.hpp"
#include "stderr_tail.hpp"
#include "version.hpp"

namespace lathe::agent {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;

constexpr milliseconds farewell_time{2000};  ///< for the daemon to acknowledge the last events of a shutdown
constexpr std::string_view terminated = "requeue";

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? to_valid_utf8(name.data()) : "unknown";
}

}  // namespace

proto::Result<std::unique_ptr<Agent>> Agent::open(boost::asio::io_context& io, AgentOptions options,
                                                  spdlog::logger& log) {
  if (options.root.empty()) options.root = options.state_dir / "root";
  std::error_code error;
  std::filesystem::create_directories(options.root, error);
  if (error) return proto::fail("cannot make " + options.root.string() + ": " + error.message());
  auto spool = Spool::open(options.state_dir / "spool");
  if (!spool) return tl::unexpected<proto::Error>(spool.error());
  auto socket = SocketPath::open(options.state_dir);
  if (!socket) return tl::unexpected<proto::Error>(socket.error());
  auto agent = std::make_unique<Agent>(io, std::move(options), log, std::move(*spool), std::move(*socket));
  agent->trials_.adopt();
  if (const auto listening = agent->link_.listen(); !listening) return tl::unexpected<proto::Error>(listening.error());
  agent->check_idle();
  return agent;
}

Agent::Agent(boost::asio::io_context& io, AgentOptions options, spdlog::logger& log, Spool spool, SocketPath socket)
    : io_(io),
      options_(std::move(options)),
      log_(log),
      termination_(io, SIGTERM, SIGINT),
      children_(io),
      events_(io, std::move(spool), log, [this] { link_.wake(); }),
      link_(io, std::move(socket), events_, *this, log),
      trials_(
          io, events_, launchers_, options_.state_dir, log,
          [this] {
            check_idle();
            check_shutdown();
          },
          [this](const proto::TrialNote& note) { link_.send(note); },
          [this](const std::string& trial_id) { logs_.trial_ended(trial_id); }),
      logs_(
          io, [this](const std::string& trial_id) { return trials_.directory_of(trial_id); },
          [this](const proto::LogText& text) { link_.send(text); }),
      trial_program_(io, children_, options_.trial_program, options_.state_dir / "trial_program.json",
                     [this] { link_.wake(); }),
      monitor_(
          io, children_, options_.root, options_.nvidia_smi, [this] { return trials_.sessions(); },
          [this](const proto::HostReport& report) { link_.send(report); }),
      idle_timer_(io),
      shutdown_timer_(io) {
  launchers_.add("process", std::make_unique<ProcessLauncher>(io, children_, options_.state_dir / "exits", log));
  launchers_.add("slurm", std::make_unique<SlurmLauncher>(io, children_, options_.state_dir / "slurm_owner", log));
  launchers_.add("pai", std::make_unique<PaiLauncher>(io, children_, options_.state_dir / "pai_owner", log));
  wait_for_termination();
}

// ---- messages of the daemon -----------------------------------------------------------------------------------------

std::optional<proto::Hello> Agent::hello() {
  auto trial_program = trial_program_.path();
  if (!trial_program) return std::nullopt;
  proto::Hello hello;
  hello.version = version;
  hello.host = host_name();
  hello.pid = ::getpid();
  hello.state_id = events_.spool().state_id();
  hello.last_sequence = events_.spool().last_written();
  hello.running = events_.spool().known();
  hello.root = options_.root.string();
  hello.trial_program = std::move(*trial_program);
  hello.reads_logs = true;
  return hello;
}

void Agent::on_connected() {
  logs_.forget_all();
  check_idle();
  monitor_.start();
  for (const proto::TrialNote& note : trials_.notes()) link_.send(note);
}

void Agent::on_disconnected() {
  monitor_.stop();
  logs_.forget_all();
  check_idle();
  check_shutdown();
}

void Agent::on_message(const proto::ToAgent& message) {
  std::visit([this](const auto& alternative) { handle(alternative); }, message);
}

void Agent::handle(const proto::StartTrial& start) {
  // Ending, it leaves the trial to its successor: the daemon asks again after the next Hello.
  if (is_shutting_down_) return;
  trials_.start(start);
  check_idle();
}

void Agent::handle(const proto::KillTrial& kill) {
  trials_.kill(kill.trial_id, kill.reason, milliseconds(kill.grace_ms));
}

void Agent::handle(const proto::Ack& ack) {
  const bool was_full = events_.is_full();
  events_.acknowledge(ack.sequence);
  if (was_full && !events_.is_full()) trials_.advance_all();
  check_shutdown();
}

void Agent::handle(const proto::ReadLog& read) {
  logs_.take(read);
}

void Agent::handle(const proto::Shutdown& shutdown) {
  log_.info("shutting down: {}", shutdown.reason);
  is_shutting_down_ = true;
  trials_.kill_all(shutdown.reason, milliseconds(shutdown.grace_ms));
  check_shutdown();
}

// ---- the end --------------------------------------------------------------------------------------------------------

void Agent::wait_for_termination() {
  termination_.async_wait([this](const error_code& error, int) {
    if (error) return;
    handle(proto::Shutdown{std::string(terminated)});
    wait_for_termination();
  });
}

void Agent::check_idle() {
  idle_timer_.cancel();
  if (link_.is_connected() || !trials_.is_empty()) return;
  idle_timer_.expires_after(options_.idle_exit);
  idle_timer_.async_wait([this](const error_code& error) {
    if (error || link_.is_connected() || !trials_.is_empty()) return;
    log_.info("no daemon and no trials for {} s: exiting", options_.idle_exit.count());
    stop();
  });
}

void Agent::check_shutdown() {
  if (!is_shutting_down_ || !trials_.is_empty()) return;
  if (!link_.is_connected() || events_.spool().unacknowledged().empty()) return stop();
  if (std::exchange(is_saying_farewell_, true)) return;
  shutdown_timer_.expires_after(farewell_time);
  shutdown_timer_.async_wait([this](const error_code& error) {
    if (!error) stop();
  });
}

void Agent::stop() {
  link_.close();
  if (const auto compacted = events_.compact(); !compacted) log_.error("{}", compacted.error().message);
  io_.stop();
}

}  // namespace lathe::agent
