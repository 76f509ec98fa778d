#include "event_log.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace lathe::agent {
namespace {

constexpr std::size_t largest_backlog = 64 << 20;
constexpr std::chrono::milliseconds retry_interval{1000};

}  // namespace

EventLog::EventLog(boost::asio::io_context& io, Spool spool, spdlog::logger& log, std::function<void()> grown)
    : spool_(std::move(spool)), log_(log), grown_(std::move(grown)), timer_(io) {}

proto::Result<void> EventLog::start(const RunningTrial& trial, const std::optional<proto::TrialStarted>& started) {
  auto journalled = spool_.start(trial, started);
  if (journalled) grown_();
  return journalled;
}

void EventLog::update(const RunningTrial& trial) {
  const bool was_waiting = spool_.is_waiting_for_disk();
  spool_.update(trial);
  written(was_waiting);
}

void EventLog::record(const std::vector<NewEvent>& events) {
  if (events.empty()) return;
  const bool was_waiting = spool_.is_waiting_for_disk();
  spool_.append(events);
  grown_();
  written(was_waiting);
}

void EventLog::written(bool was_waiting) {
  if (was_waiting || !spool_.is_waiting_for_disk()) return;
  log_.error("the spool cannot be written; events stay in memory until it can");
  retry();
}

void EventLog::retry() {
  timer_.expires_after(retry_interval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    if (const auto flushed = spool_.flush(); !flushed) return retry();
    log_.info("the spool can be written again");
    grown_();
  });
}

bool EventLog::is_full() const {
  return spool_.backlog() > largest_backlog;
}

std::string EventLog::frames_after(std::uint64_t& sent, std::size_t bytes) const {
  std::string frames;
  const auto& events = spool_.unacknowledged();
  if (events.empty()) return frames;
  const std::uint64_t first = events.front().sequence;
  const std::uint64_t next = std::max(first, sent + 1);
  for (std::size_t i = next - first; i < events.size() && frames.size() < bytes; ++i) {
    if (events[i].sequence > spool_.last_written()) break;
    frames += proto::frame_json(events[i].json);
    sent = events[i].sequence;
  }
  return frames;
}

}  // namespace lathe::agent
