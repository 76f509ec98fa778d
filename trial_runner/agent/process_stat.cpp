#include "process_stat.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace lathe::agent {

std::optional<ProcessStat> read_process_stat(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text, '\0')) return std::nullopt;
  // The name of the program stands in brackets and may hold anything, brackets too: fields are counted from the last.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  ProcessStat stat;
  if (!(fields >> stat.state >> stat.parent >> stat.group >> stat.session)) return std::nullopt;
  std::string skipped;
  for (int field = 7; field < 22; ++field) fields >> skipped;
  if (!(fields >> stat.start_ticks)) return std::nullopt;
  return stat;
}

std::vector<std::int64_t> process_ids() {
  std::vector<std::int64_t> ids;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    std::int64_t pid = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (problem == std::errc() && end == name.data() + name.size()) ids.push_back(pid);
  }
  return ids;
}

std::string read_boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

std::optional<ProcessIdentity> identify(std::int64_t pid) {
  const auto stat = read_process_stat(pid);
  if (!stat || stat->is_dead()) return std::nullopt;
  return ProcessIdentity{pid, stat->start_ticks, read_boot_id()};
}

bool is_alive(const ProcessIdentity& process) {
  return process.pid > 1 && identify(process.pid) == process;
}

}  // namespace lathe::agent
