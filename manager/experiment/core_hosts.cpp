// What can be asked of hosts.
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "experiment/core.hpp"
#include "experiment/requests.hpp"
#include "hosts/ssh/host_probe.hpp"
#include "storage/drained_table.hpp"

namespace lathe::manager {

using Kind = ServiceError::Kind;

namespace {

tl::unexpected<ServiceError> no_host(const std::string& host) {
  return refuse(Kind::NotFound, fmt::format("there is no host {}; hosts are those of the experiments that go on, and "
                                            "local, this machine",
                                            host));
}

}  // namespace

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
