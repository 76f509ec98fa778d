#include "process_launcher.hpp"

#include <optional>
#include <system_error>
#include <utility>

#include <lathe/proto/warm_start.hpp>

#include "exit_record.hpp"
#include "kept_process.hpp"
#include "process_job.hpp"
#include "random_id.hpp"

namespace lathe::agent {

ProcessLauncher::ProcessLauncher(boost::asio::io_context& io, Children& children, std::filesystem::path folder,
                                 spdlog::logger& log)
    : io_(io),
      folder_(std::move(folder)),
      shell_(find_shell()),
      boot_id_(read_boot_id()),
      warm_parents_(io, children, shell_, log) {
  std::error_code told_by_the_first_start;
  std::filesystem::create_directory(folder_, told_by_the_first_start);
}

proto::Result<std::unique_ptr<Job>> ProcessLauncher::start(Launch launch, Job::Changed changed) {
  ProcessRecord record;
  record.exit_record = random_id(8);
  const std::filesystem::path file = folder_ / record.exit_record;
  const auto exit_record = make_exit_record(file);
  if (!exit_record) return tl::unexpected<proto::Error>(exit_record.error());
  const std::string& trial_id = launch.start.trial_id;
  auto process = make_process(
      trial_id,
      {shell_, launch.start.command, std::move(launch.environment), std::move(launch.folder.working_directory),
       std::move(launch.folder.standard_output), std::move(launch.folder.standard_error)},
      *exit_record);
  const auto stat = process ? read_process_stat(process->keeper) : std::nullopt;
  if (process && !stat) process = proto::fail("the keeper of the process has ended before it could run");
  if (!process) {
    std::error_code nothing_to_remove;
    std::filesystem::remove(file, nothing_to_remove);
    warm_parents_.trial_ended(trial_id);
    return tl::unexpected<proto::Error>(process.error());
  }
  record.keeper = {process->keeper, stat->start_ticks, boot_id_};
  record.command = process->command;
  return std::make_unique<ProcessJob>(io_, std::move(record), folder_, std::move(process->gate), std::move(changed));
}

/// A fork of a warm parent where there is one, else a process of its own.
proto::Result<KeptProcess> ProcessLauncher::make_process(const std::string& trial_id, Command command,
                                                         const Descriptor& exit_record) {
  const auto server = command.environment.extract(std::string(proto::warm_parent_variable));
  if (!server.empty() && !server.mapped().empty()) {
    auto forked = warm_parents_.start_trial(server.mapped(), trial_id, command, exit_record);
    if (forked) return std::move(*forked);
  }
  return start_kept(command, exit_record);
}

std::unique_ptr<Job> ProcessLauncher::adopt(const AdoptedTrial& trial, Job::Changed changed) {
  auto record = ProcessRecord::from_json(trial.record);
  adopted_.insert(record.exit_record);
  return std::make_unique<ProcessJob>(io_, std::move(record), folder_, Descriptor(), std::move(changed));
}

void ProcessLauncher::forget_strangers() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (!adopted_.contains(entry.path().filename())) std::filesystem::remove(entry.path(), error);
  }
  adopted_.clear();
}

}  // namespace lathe::agent
