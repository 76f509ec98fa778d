#include "lost_trial.hpp"

#include <signal.h>

#include <charconv>
#include <chrono>
#include <filesystem>
#include <thread>

namespace lathe::agent {
namespace {

constexpr std::chrono::seconds patience{5};
constexpr std::chrono::milliseconds interval{5};

bool is_member(const ProcessStat& stat, const RunningTrial& trial) {
  return stat.state != 'Z' && stat.state != 'X' && stat.group == trial.process.pid && stat.session == trial.session &&
         stat.start_ticks >= trial.process.start_ticks;
}

/// Signals every living member of the trial's group; false: there is none.
bool signal_group(const RunningTrial& trial) {
  bool found = false;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    std::int64_t pid = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (problem != std::errc() || end != name.data() + name.size()) continue;
    const auto stat = read_process_stat(pid);
    if (!stat || !is_member(*stat, trial)) continue;
    found = true;
    ::kill(static_cast<pid_t>(pid), SIGKILL);
  }
  return found;
}

}  // namespace

std::vector<RunningTrial> end_lost_trials(const std::vector<RunningTrial>& trials) {
  const std::string boot_id = read_boot_id();
  std::vector<RunningTrial> left;
  for (const RunningTrial& trial : trials) {
    const bool may_live = trial.process.boot_id == boot_id && trial.process.pid > 1;
    if (may_live && signal_group(trial)) left.push_back(trial);
  }
  // Whoever adopted them hears of their end, not we: there is nothing to wait on but /proc.
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!left.empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(interval);
    std::erase_if(left, [](const RunningTrial& trial) { return !signal_group(trial); });
  }
  return left;
}

}  // namespace lathe::agent
