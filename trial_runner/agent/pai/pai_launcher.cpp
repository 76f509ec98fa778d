#include "pai/pai_launcher.hpp"

#include <sys/stat.h>

#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include <lathe/proto/warm_start.hpp>

#include "launch_environment.hpp"
#include "launchers.hpp"
#include "pai/job_protocol.hpp"
#include "pai/pai_script.hpp"
#include "pai/pai_server.hpp"
#include "pai/pai_settings.hpp"
#include "random_id.hpp"

namespace lathe::agent {
namespace {

constexpr std::size_t owner_bytes = 6;
constexpr std::size_t token_bytes = 8;

/// Empty: there is none, or it is damaged.
std::string read_owner(const std::filesystem::path& file) {
  std::string owner;
  std::getline(std::ifstream(file), owner);
  const bool is_whole = owner.size() == 2 * owner_bytes;
  return is_whole && owner.find_first_not_of("0123456789abcdef") == std::string::npos ? owner : std::string();
}

proto::Result<void> write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream stream(file, std::ios::trunc);
  stream << text;
  stream.close();
  return stream ? proto::Result<void>() : proto::fail("cannot write " + file.string());
}

/// What is of use on this host alone is left out.
std::map<std::string, std::string> portable(std::map<std::string, std::string> environment) {
  environment.erase(std::string(proto::warm_parent_variable));
  environment.erase("LATHE_HOST_DIRECTORY");
  return environment;
}

proto::Result<std::string> in_container(const MountMap& mount, const std::filesystem::path& path, const char* what) {
  if (auto inside = mount.inside(path)) {
    // PAI would take it for a parameter of its job protocol.
    if (inside->find("<%") != std::string::npos) return proto::fail(fmt::format("{}: \"<%\" in a path", what));
    return *inside;
  }
  return proto::fail(
      fmt::format("{} {} is not on the storage that the containers see; expected a folder below {} "
                  "(localStorageMountPoint)",
                  what, path.string(), mount.local.string()));
}

proto::Result<PaiScript> script_of(const Launch& launch, const MountMap& mount) {
  const auto folder = in_container(mount, launch.start.directory, "the trial's folder");
  if (!folder) return tl::unexpected<proto::Error>(folder.error());
  const auto working = in_container(mount, launch.working_directory, "the working directory");
  if (!working) return tl::unexpected<proto::Error>(working.error());
  PaiScript script{launch.start.trial_id, mount, *folder, *working, mount.inside(portable(launch.environment)),
                   launch.start.command};
  if (const auto problem = environment_problem(script.environment)) return proto::fail(*problem);
  if (script.command.find('\0') != std::string::npos) return proto::fail("command: has a NUL byte");
  return script;
}

}  // namespace

PaiLauncher::PaiLauncher(boost::asio::io_context& io, Children& children, std::filesystem::path owner_file,
                         spdlog::logger& log, PaiTimes times)
    : io_(io),
      children_(children),
      owner_file_(std::move(owner_file)),
      is_noted_(!read_owner(owner_file_).empty()),
      owner_(is_noted_ ? read_owner(owner_file_) : random_id(owner_bytes)),
      log_(log),
      times_(times) {}

PaiLauncher::~PaiLauncher() = default;

PaiServer& PaiLauncher::server(const PaiAccess& access) {
  auto& server = servers_[access];
  if (!server) server = std::make_unique<PaiServer>(io_, children_, access, pai_job_prefix(owner_), times_, log_);
  return *server;
}

proto::Result<std::unique_ptr<Job>> PaiLauncher::start(Launch launch, Job::Changed changed) {
  const auto failed = [](const auto& result) { return tl::unexpected<proto::Error>(result.error()); };
  const auto settings = PaiSettings::from_json(launch.start.launcher);
  if (!settings) return failed(settings);
  const auto protocol = JobProtocol::make(*settings);
  if (!protocol) return failed(protocol);
  const auto script = script_of(launch, settings->mount);
  if (!script) return failed(script);
  if (const auto noted = note_owner(); !noted) return failed(noted);
  const std::filesystem::path folder = launch.start.directory;
  const std::string name = pai_job_name(owner_, launch.start.trial_id, random_id(token_bytes));
  if (const auto written = write_file(folder / "pai.sh", render(*script)); !written) return failed(written);
  const std::string body = protocol->text(name, script->folder + "/pai.sh");
  if (const auto written = write_file(pai_protocol_file(folder), body); !written) return failed(written);
  PaiDesk& desk = server(settings->access);
  return std::make_unique<PaiJob>(desk, settings->access, PaiOrder{folder, name}, std::move(changed));
}

std::unique_ptr<Job> PaiLauncher::adopt(const AdoptedTrial& trial, Job::Changed changed) {
  auto record = PaiRecord::from_json(trial.record);
  if (!record) return lost_job(record.error().message);
  PaiDesk& desk = server(record->access);
  return std::make_unique<PaiJob>(desk, std::move(*record), trial.directory, std::move(changed));
}

proto::Result<void> PaiLauncher::note_owner() {
  if (is_noted_) return {};
  if (const auto written = write_file(owner_file_, owner_ + "\n"); !written) return written;
  is_noted_ = true;
  return {};
}

}  // namespace lathe::agent
