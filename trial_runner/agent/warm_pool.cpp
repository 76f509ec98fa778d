#include "warm_pool.hpp"

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace lathe::agent {
namespace {

/// A fork takes a few milliseconds; the agent's loop stands still for so long at most.
constexpr std::chrono::milliseconds fork_patience{2000};
/// Longer than a tuner thinks between two trials, short enough to give the memory back soon after an experiment.
constexpr std::chrono::seconds idle_time{10};
constexpr int most_failures = 3;
constexpr std::ptrdiff_t most_parents = 4;

std::string how_it_ended(const siginfo_t& info) {
  return (info.si_code == CLD_EXITED ? "exit code " : "signal ") + std::to_string(info.si_status);
}

}  // namespace

WarmPool::WarmPool(boost::asio::io_context& io, Children& children, std::string shell, spdlog::logger& log)
    : io_(io),
      children_(children),
      own_program_(::open("/proc/self/exe", O_PATH | O_CLOEXEC)),
      shell_(std::move(shell)),
      log_(log) {}

WarmPool::~WarmPool() {
  for (const auto& [server, entry] : entries_) {
    if (entry->parent) children_.forget(entry->parent->pid());
  }
}

std::optional<KeptProcess> WarmPool::start_trial(const std::string& server, const std::string& trial_id,
                                                 const Command& command, const Descriptor& exit_record) {
  Entry& entry = entry_of(server);
  entry.idle_timer.cancel();
  entry.trials.insert(trial_id);
  if (!entry.parent) {
    launch(server, entry);
    return std::nullopt;
  }
  if (!entry.parent->is_ready()) return std::nullopt;
  auto process = entry.parent->fork_trial(command, exit_record, own_program_, fork_patience);
  if (process) {
    entry.failures = 0;
    return std::move(*process);
  }
  log_.warn("trial {} is started fresh: warm parent {}: {}", trial_id, entry.parent->pid(), process.error().reason);
  if (!process.error().is_refusal) ++entry.failures;
  entry.parent.reset();
  launch(server, entry);
  return std::nullopt;
}

void WarmPool::trial_ended(const std::string& trial_id) {
  for (auto& [server, entry] : entries_) {
    if (entry->trials.erase(trial_id) > 0 && entry->trials.empty()) let_go_when_idle(server, *entry);
  }
}

void WarmPool::parent_ended(const siginfo_t& info) {
  for (auto& [server, entry] : entries_) {
    if (!entry->parent || entry->parent->pid() != info.si_pid) continue;
    entry->parent->forget_process();
    entry->parent.reset();
    fail(*entry, "warm parent " + std::to_string(info.si_pid) + " has ended: " + how_it_ended(info));
    return;
  }
}

WarmPool::Entry& WarmPool::entry_of(const std::string& server) {
  auto& entry = entries_[server];
  if (!entry) entry = std::make_unique<Entry>(io_);
  return *entry;
}

void WarmPool::launch(const std::string& server, Entry& entry) {
  if (entry.failures >= most_failures || !make_room()) return;
  auto parent = WarmParent::start(shell_, server);
  if (!parent) return fail(entry, "no warm parent: " + parent.error().message);
  entry.parent.emplace(std::move(*parent));
  children_.when_ended(entry.parent->pid(), [this](const siginfo_t& info) { parent_ended(info); });
  log_.info("warm parent {} is being started: {}", entry.parent->pid(), server);
}

/// Whether one more parent may be started; an idle one makes room for it.
bool WarmPool::make_room() {
  const auto has_parent = [](const auto& item) { return item.second->parent.has_value(); };
  if (std::count_if(entries_.begin(), entries_.end(), has_parent) < most_parents) return true;
  const auto idle = std::find_if(entries_.begin(), entries_.end(),
                                 [&](const auto& item) { return has_parent(item) && item.second->trials.empty(); });
  if (idle == entries_.end()) return false;
  entries_.erase(idle);
  return true;
}

void WarmPool::fail(Entry& entry, const std::string& what) {
  ++entry.failures;
  log_.warn("{}{}", what, entry.failures < most_failures ? "" : "; trials are started fresh from now on");
}

void WarmPool::let_go_when_idle(const std::string& server, Entry& entry) {
  entry.idle_timer.expires_after(idle_time);
  entry.idle_timer.async_wait([this, server](const boost::system::error_code& error) {
    const auto found = entries_.find(server);
    if (!error && found != entries_.end() && found->second->trials.empty()) entries_.erase(found);
  });
}

}  // namespace lathe::agent
