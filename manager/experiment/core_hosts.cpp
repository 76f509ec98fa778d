// Hosts: the connections to them, and what can be asked of them.
#include <chrono>
#include <filesystem>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <lathe/proto/file_stream.hpp>

#include "experiment/core.hpp"
#include "experiment/ids.hpp"
#include "experiment/requests.hpp"
#include "hosts/local_agent.hpp"
#include "hosts/pai_host.hpp"
#include "hosts/ssh/host_probe.hpp"
#include "hosts/ssh/remote_host.hpp"
#include "storage/drained_table.hpp"

namespace lathe::manager {

namespace asio = boost::asio;
using Kind = ServiceError::Kind;

namespace {

constexpr std::chrono::milliseconds kLogWait{20'000};  // for a trial to write something

tl::unexpected<ServiceError> no_host(const std::string& host) {
  return refuse(Kind::NotFound, fmt::format("there is no host {}; hosts are those of the experiments that go on, and "
                                            "local, this machine",
                                            host));
}

}  // namespace

std::unique_ptr<Host> ExperimentManager::Core::make_host(const HostSpec& spec) {
  if (options_.make_host) return options_.make_host(executor_, spec);
  if (spec.address) return make_remote_host(spec);
  if (spec.kind == HostSpec::Kind::Pai) return make_pai_host(spec);
  const std::string folder = spec.kind == HostSpec::Kind::Slurm ? "slurm" : "local";
  LocalAgentOptions local{options_.agent_program, options_.data_dir / "agents" / folder};
  AgentLink::Options link;
  link.name = spec.id;
  return std::make_unique<AgentLink>(executor_, local_agent_connector(executor_, pool_, std::move(local)), link);
}

/// An agent of its own for each PAI and user: it serves one connection.
std::unique_ptr<Host> ExperimentManager::Core::make_pai_host(const HostSpec& spec) {
  const std::string folder = "pai-" + proto::hash_of_text(spec.id).substr(0, 16);
  LocalAgentOptions local{options_.agent_program, options_.data_dir / "agents" / folder};
  AgentLink::Options link;
  link.name = spec.id;
  return std::make_unique<PaiHost>(executor_, local_agent_connector(executor_, pool_, std::move(local)), link,
                                   secrets_->token_file(spec.id));
}

/// A machine that cannot even be tried is one that never connects, and says why. One that runs trials and submits jobs
/// as well is two hosts with an agent each, since an agent serves one connection.
std::unique_ptr<Host> ExperimentManager::Core::make_remote_host(const HostSpec& spec) {
  const std::string owner = spec.kind == HostSpec::Kind::Slurm ? daemon_id_ + "slurm" : daemon_id_;
  const auto machine =
      SshMachine::make(*spec.address, options_.agent_program, options_.data_dir, owner, *secrets_, options_.ssh_config);
  if (!machine) {
    AgentLink::Options link;
    link.name = spec.id;
    auto refuse = [why = machine.error().message]() -> asio::awaitable<proto::Result<AgentLink::Socket>> {
      co_return proto::fail(why);
    };
    return std::make_unique<AgentLink>(executor_, std::move(refuse), link);
  }
  const auto folders = [experiments = options_.data_dir / "experiments"](const std::string& attempt) {
    const auto id = AttemptId::parse(attempt).value_or(AttemptId{"none", "none", 0});
    return RemoteHostOptions::Folders{fmt::format("experiments/{}/{}", id.experiment, id.folder()),
                                      experiments / id.experiment / AttemptId{id.experiment, id.trial, 0}.folder()};
  };
  return std::make_unique<RemoteHost>(
      executor_,
      RemoteHostOptions{std::make_shared<const SshMachine>(*machine), folders,
                        [this](const std::string& attempt) { return is_running(attempt); },
                        [this, host = spec.id](const std::string& folder) { return is_needed(host, folder); }});
}

/// As the database has it.
bool ExperimentManager::Core::is_running(const std::string& attempt) const {
  const auto id = AttemptId::parse(attempt);
  const auto experiment = id ? experiments_.find(id->experiment) : experiments_.end();
  return experiment != experiments_.end() && experiment->second->state().is_running(attempt);
}

/// An experiment that is at rest, or is unknown, needs nothing: should it go on, everything is laid out anew.
bool ExperimentManager::Core::is_needed(const std::string& host, const std::string& folder) const {
  if (closing_) return true;
  if (!folder.starts_with("experiments/")) {
    if (!fleet_.is_used(host)) return false;
    // Trials of an earlier version may run on.
    const proto::Hello* hello = fleet_.hello(host);
    return hello == nullptr || !hello->running.empty() || folder == "lathe-trial-" + hello->version;
  }
  const std::filesystem::path path = folder;
  const std::string id = *std::next(path.begin());
  const auto found = experiments_.find(id);
  if (found == experiments_.end()) return false;
  const ExperimentState& state = found->second->state();
  if (path == std::filesystem::path("experiments") / id)
    return !is_at_rest(state.record().status) || state.running() > 0 || state.preparing();
  return runs_on(host, state, path.lexically_relative(std::filesystem::path("experiments") / id).string());
}

/// `folder` is that of an attempt, below the experiment's. Two names of one machine have one folder.
bool ExperimentManager::Core::runs_on(const std::string& host, const ExperimentState& state,
                                      const std::string& folder) const {
  const auto machine = [this](const std::string& name) {
    const auto status = fleet_.status(name);
    return status && status->spec.address ? status->spec.address->name() : name;
  };
  const AttemptId preparation{state.id(), std::string(preparation_trial), state.row.preparation_attempt};
  if (state.preparing() && folder == preparation.folder()) return machine(state.row.preparation_host) == machine(host);
  const std::string name = std::filesystem::path(folder).filename().string();
  const auto found = state.find(name.substr(0, name.find('.')));
  return found && found->record.status == proto::TrialStatus::Running &&
         folder == AttemptId{state.id(), found->record.id, found->record.attempt}.folder() &&
         machine(found->record.host) == machine(host);
}

Answer<LogPiece> ExperimentManager::Core::read_log(LogRequest request) {
  LogPiece piece;
  const auto experiment = experiments_.find(request.experiment_id);
  const auto trial = experiment == experiments_.end() ? nullptr : experiment->second->state().find(request.trial_id);
  if (!trial || trial->record.status != proto::TrialStatus::Running) co_return piece;
  const std::string host = trial->record.host;
  const auto status = fleet_.status(host);
  if (status && status->spec.shares_disk()) co_return piece;
  piece.where = LogPiece::Where::Unreachable;
  piece.attempt = trial->record.attempt;
  piece.why = status && !status->connected ? fmt::format("{} is not connected: {}", host, status->trouble)
                                           : fmt::format("{} does not tell what the trial has written", host);
  proto::ReadLog read{0, attempt_id(*trial), request.name, 0, request.tail, request.waits ? kLogWait.count() : 0};
  if (request.attempt == piece.attempt) read.offset = request.offset;
  std::optional<proto::LogText> text = co_await fleet_.read_log(host, std::move(read));
  if (!text || !text->runs) co_return piece;
  piece.where = LogPiece::Where::There;
  piece.offset = text->offset;
  piece.size = text->size;
  piece.bytes = std::move(text->bytes);
  co_return piece;
}

Answer<HostStatus> ExperimentManager::Core::show_host(std::string host) {
  auto status = fleet_.status(host);
  if (!status) co_return no_host(host);
  co_return std::move(*status);
}

Answer<HostStatus> ExperimentManager::Core::drain_host(std::string host, bool drained) {
  if (closing_) co_return refuse(Kind::Unavailable, "the daemon is being stopped");
  if (!fleet_.status(host)) co_return no_host(host);
  WriteQueue::Job job = [host, drained](Connection& connection) { store_drained(connection, host, drained); };
  if (auto written = co_await database_->write(std::move(job)); !written)
    co_return refuse(Kind::Unavailable, written.error().message);
  if (fleet_.is_drained(host) != drained) spdlog::info("host {} {}", host, drained ? "is drained" : "is resumed");
  fleet_.drain(host, drained);
  co_return co_await show_host(host);
}

Answer<HostTest> ExperimentManager::Core::test_host(std::string host) {
  const auto status = fleet_.status(host);
  if (status && !status->spec.address) co_return judge_status(*status);
  const auto address = status ? status->spec.address : parse_ssh_name(host);
  if (!address) co_return no_host(host);
  auto making = [this, address = *address] {
    return SshMachine::make(address, options_.agent_program, options_.data_dir, daemon_id_, *secrets_,
                            options_.ssh_config);
  };
  auto machine = co_await on_pool(pool_, std::move(making));
  if (!machine) co_return refuse(Kind::Unavailable, machine.error().message);
  co_return co_await probe_host(executor_, std::make_shared<const SshMachine>(std::move(*machine)));
}

}  // namespace lathe::manager
