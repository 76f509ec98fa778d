#include "slurm/slurm_launcher.hpp"

#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <lathe/proto/warm_start.hpp>

#include "launch_environment.hpp"
#include "random_id.hpp"
#include "slurm/claim.hpp"
#include "slurm/slurm_record.hpp"
#include "slurm/slurm_settings.hpp"
#include "slurm/trial_script.hpp"

namespace lathe::agent {
namespace {

constexpr std::size_t owner_bytes = 8;

/// Empty: there is none, or it is damaged.
std::string read_owner(const std::filesystem::path& file) {
  std::string owner;
  std::getline(std::ifstream(file), owner);
  const bool is_whole = owner.size() == 2 * owner_bytes;
  return is_whole && owner.find_first_not_of("0123456789abcdef") == std::string::npos ? owner : std::string();
}

proto::Result<void> write_script(const std::filesystem::path& file, const TrialScript& script) {
  std::ofstream stream(file, std::ios::trunc);
  stream << render(script);
  stream.close();
  return stream ? proto::Result<void>() : proto::fail("cannot write " + file.string());
}

/// What is of use on this host alone is left out.
std::map<std::string, std::string> portable(std::map<std::string, std::string> environment) {
  environment.erase(std::string(proto::warm_parent_variable));
  environment.erase("LATHE_HOST_DIRECTORY");
  return environment;
}

}  // namespace

SlurmLauncher::SlurmLauncher(boost::asio::io_context& io, Children& children, std::filesystem::path owner_file,
                             spdlog::logger& log, SlurmTimes times)
    : owner_file_(std::move(owner_file)),
      is_noted_(!read_owner(owner_file_).empty()),
      owner_(is_noted_ ? read_owner(owner_file_) : random_id(owner_bytes)),
      commands_(io, children),
      queue_(io, commands_, jobs_, owner_, times, log),
      submitter_(io, commands_, jobs_, owner_, times, log, [this] { queue_.poll_soon(); }) {}

proto::Result<std::unique_ptr<Job>> SlurmLauncher::start(Launch launch, Job::Changed changed) {
  const auto failed = [](const auto& result) { return tl::unexpected<proto::Error>(result.error()); };
  const auto settings = SlurmSettings::from_json(launch.start.launcher);
  if (!settings) return failed(settings);
  if (const auto noted = note_owner(); !noted) return failed(noted);
  const std::filesystem::path folder = launch.start.directory;
  TrialScript script{launch.start.trial_id,    folder,
                     launch.working_directory, portable(std::move(launch.environment)),
                     settings->prologue,       launch.start.command};
  if (const auto problem = environment_problem(script.environment)) return proto::fail(*problem);
  if (script.command.find('\0') != std::string::npos) return proto::fail("command: has a NUL byte");
  if (!Claim::prepare(folder)) return proto::fail("cannot write in " + folder.string());
  const std::filesystem::path file = folder / "slurm.sh";
  if (const auto written = write_script(file, script); !written) return failed(written);
  SlurmOrder order{script.trial_id, folder, file, settings->directives, settings->clusters()};
  SlurmDesk& desk = *this;
  return std::make_unique<SlurmJob>(desk, std::move(order), std::move(changed));
}

std::unique_ptr<Job> SlurmLauncher::adopt(const AdoptedTrial& trial, Job::Changed changed) {
  SlurmDesk& desk = *this;
  return std::make_unique<SlurmJob>(desk, SlurmRecord::from_json(trial.record), trial.directory, std::move(changed));
}

void SlurmLauncher::forget_strangers() {
  if (is_noted_) queue_.look_for_strangers();
}

/// A job that is adopted is with Slurm already.
std::uint64_t SlurmLauncher::enter(SlurmJob& job) {
  queue_.poll_soon();
  return jobs_.add(job);
}

proto::Result<void> SlurmLauncher::note_owner() {
  if (is_noted_) return {};
  std::ofstream stream(owner_file_, std::ios::trunc);
  stream << owner_ << '\n';
  stream.close();
  if (!stream) return proto::fail("cannot write " + owner_file_.string());
  is_noted_ = true;
  return {};
}

}  // namespace lathe::agent
