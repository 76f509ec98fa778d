#include "trial.hpp"

#include <algorithm>
#include <utility>

#include "clock.hpp"
#include "stderr_tail.hpp"
#include "trial_folder.hpp"

namespace lathe::agent {
namespace {

using std::chrono::milliseconds;

/// Keeps what a daemon asks for within what a clock can hold.
constexpr std::int64_t longest_wait_s = 3600LL * 24 * 365;
constexpr milliseconds longest_wait{longest_wait_s * 1000};
constexpr milliseconds duration_grace{5000};

milliseconds until(std::int64_t time_ms) {
  return milliseconds(std::clamp<std::int64_t>(time_ms - unix_time_ms(), 0, longest_wait.count()));
}

}  // namespace

Trial::Trial(boost::asio::io_context& io, RunningTrial running, TrialOwner& owner)
    : running_(std::move(running)),
      owner_(owner),
      metrics_(metrics_file(running_.directory), running_.metrics_end),
      duration_timer_(io),
      kill_timer_(io) {}

Job::Changed Trial::when_changed() {
  return [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->job_changed();
  };
}

void Trial::take(std::unique_ptr<Job> job) {
  job_ = std::move(job);
  running_.job = job_->record();
  if (job_->pid()) running_.started_ms = unix_time_ms();
}

void Trial::resume(std::unique_ptr<Job> job) {
  job_ = std::move(job);
  limit_duration();
  if (running_.kill_at_ms == 0) return;
  job_->terminate();
  arm_kill();
}

void Trial::release() {
  job_->release();
  limit_duration();
}

void Trial::job_changed() {
  if (auto record = job_->record(); record != running_.job) {
    running_.job = std::move(record);
    owner_.journal(running_);
  }
  if (running_.started_ms == 0 && job_->pid()) {
    running_.started_ms = unix_time_ms();
    owner_.record({{proto::TrialStarted{id(), *job_->pid(), running_.started_ms}, std::nullopt}});
    limit_duration();
  }
  if (auto text = job_->note(); text != note_) {
    note_ = std::move(text);
    owner_.note(id(), note_);
  }
  if (is_over()) {
    duration_timer_.cancel();
    kill_timer_.cancel();
  }
  owner_.advance(id());
}

void Trial::limit_duration() {
  if (!running_.max_duration_s || running_.started_ms == 0) return;
  const std::int64_t limit_s = std::clamp<std::int64_t>(*running_.max_duration_s, 0, longest_wait_s);
  duration_timer_.expires_after(until(running_.started_ms + limit_s * 1000));
  duration_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self) self->kill("duration", duration_grace);
  });
}

void Trial::kill(const std::string& reason, milliseconds grace) {
  if (is_over()) return;
  const std::int64_t kill_at_ms =
      unix_time_ms() + std::clamp<milliseconds>(grace, milliseconds(0), longest_wait).count();
  const bool is_under_way = running_.kill_at_ms != 0;
  if (is_under_way && kill_at_ms >= running_.kill_at_ms) return;
  if (!is_under_way) running_.killed_by = reason;
  running_.kill_at_ms = kill_at_ms;
  owner_.journal(running_);
  if (!is_under_way) job_->terminate();
  arm_kill();
}

void Trial::arm_kill() {
  kill_timer_.expires_after(until(running_.kill_at_ms));
  kill_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self && !self->is_over()) self->job_->kill();
  });
}

proto::TrialExited Trial::exit_event() const {
  const JobEnd& end = *job_->end();
  proto::TrialExited exited;
  exited.trial_id = id();
  exited.exit_code = end.exit_code;
  exited.signal = end.signal;
  exited.error = to_valid_utf8(end.error);
  exited.lost = end.lost;
  exited.killed_by = running_.killed_by;
  exited.stderr_tail = read_tail(std::filesystem::path(running_.directory) / "stderr");
  exited.time_ms = unix_time_ms();
  return exited;
}

}  // namespace lathe::agent
