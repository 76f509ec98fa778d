#include "host_facts.hpp"

#include <sched.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "clock.hpp"
#include "process_stat.hpp"
#include "stderr_tail.hpp"

namespace lathe::agent {
namespace {

/// Of the cores that this process may run on.
std::int64_t usable_cores() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return ::sysconf(_SC_NPROCESSORS_ONLN);
}

void read_memory(proto::HostReport& report) {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string name;
    std::int64_t kibibytes = 0;
    fields >> name >> kibibytes;
    if (name == "MemTotal:") report.memory_bytes = kibibytes * 1024;
    if (name == "MemAvailable:") report.memory_free_bytes = kibibytes * 1024;
  }
}

std::int64_t free_disk(std::filesystem::path folder) {
  struct statvfs info {};
  while (::statvfs(folder.c_str(), &info) != 0) {
    if (!folder.has_relative_path()) return 0;
    folder = folder.parent_path();
  }
  return static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize);
}

/// The name of a user from /etc/passwd, else the number: asking a directory service could take for ever, and a static
/// program cannot load the library for it.
std::string user_name(uid_t user) {
  std::ifstream file("/etc/passwd");
  const std::string number = std::to_string(user);
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string name;
    std::string password;
    std::string id;
    if (std::getline(fields, name, ':') && std::getline(fields, password, ':') && std::getline(fields, id, ':') &&
        id == number) {
      return to_valid_utf8(name);
    }
  }
  return number;
}

std::string program_name(const std::string& process) {
  std::error_code error;
  const auto program = std::filesystem::read_symlink(process + "/exe", error);
  std::string name = program.filename();
  if (error) std::getline(std::ifstream(process + "/comm"), name);
  return to_valid_utf8(name);
}

std::string trial_of(std::int64_t pid, const std::map<std::int64_t, std::string>& sessions) {
  constexpr int deepest = 256;
  for (int depth = 0; depth < deepest && pid > 1; ++depth) {
    const auto stat = read_process_stat(pid);
    if (!stat) return {};
    if (const auto trial = sessions.find(stat->session); trial != sessions.end()) return trial->second;
    if (const auto trial = sessions.find(pid); trial != sessions.end()) return trial->second;
    pid = stat->parent;
  }
  return {};
}

}  // namespace

proto::HostReport read_host(const std::filesystem::path& root) {
  proto::HostReport report;
  report.cores = usable_cores();
  std::ifstream("/proc/loadavg") >> report.load;
  read_memory(report);
  report.disk_free_bytes = free_disk(root);
  report.time_ms = unix_time_ms();
  return report;
}

void describe_process(proto::GpuProcess& process, const std::map<std::int64_t, std::string>& sessions) {
  const std::string folder = "/proc/" + std::to_string(process.pid);
  struct stat info {};
  // Of another PID namespace, or gone by now.
  if (::stat(folder.c_str(), &info) != 0) return;
  if (std::string name = program_name(folder); !name.empty()) process.name = std::move(name);
  process.user = user_name(info.st_uid);
  process.trial_id = trial_of(process.pid, sessions);
}

}  // namespace lathe::agent
