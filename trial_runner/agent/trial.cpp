#include "trial.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "clock.hpp"
#include "stderr_tail.hpp"
#include "trial_folder.hpp"

namespace lathe::agent {
namespace {

constexpr std::chrono::hours longest_wait{24 * 365};  ///< keeps what a daemon asks for within what a clock can hold
constexpr std::chrono::milliseconds duration_grace{5000};
/// After SIGKILL a group takes this long at most: a member in a hanging system call must not hold up the report.
constexpr std::chrono::milliseconds clearing_time{2000};

}  // namespace

Trial::Trial(boost::asio::io_context& io, std::string id, std::filesystem::path directory, GatedProcess process,
             std::function<void()> changed)
    : id_(std::move(id)),
      directory_(std::move(directory)),
      process_(std::move(process)),
      changed_(std::move(changed)),
      metrics_(metrics_file(directory_)),
      duration_timer_(io),
      deadline_timer_(io) {}

void Trial::limit_duration(std::chrono::seconds limit) {
  duration_timer_.expires_after(std::min<std::chrono::seconds>(limit, longest_wait));
  duration_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self) self->kill("duration", duration_grace);
  });
}

void Trial::kill(const std::string& reason, std::chrono::milliseconds grace) {
  if (is_over_ || at_deadline_ == NextSignal::GiveUp) return;
  grace = std::clamp<std::chrono::milliseconds>(grace, std::chrono::milliseconds(0), longest_wait);
  const bool is_under_way = at_deadline_ == NextSignal::Kill;
  if (!is_under_way) {
    if (!killed_by_) killed_by_ = reason;
    signal_group(SIGTERM);
    signal_group(SIGCONT);  // a stopped process would sleep through its grace time
  }
  const auto kill_time = std::chrono::steady_clock::now() + grace;
  if (!is_under_way || kill_time < deadline_timer_.expiry()) arm(grace, NextSignal::Kill);
}

void Trial::leader_ended(const siginfo_t& info) {
  ended_ = info;
  duration_timer_.cancel();
  if (at_deadline_ == NextSignal::Kill) return;
  signal_group(SIGKILL);
  arm(clearing_time, NextSignal::GiveUp);
}

void Trial::check_group() {
  if (!ended_ || is_over_) return;
  if (::kill(-process_.pid(), 0) == 0 || errno != ESRCH) return;
  forget_group();
}

void Trial::forget_group() {
  if (!ended_) return;
  is_over_ = true;
  deadline_timer_.cancel();
}

void Trial::arm(std::chrono::milliseconds delay, NextSignal next) {
  at_deadline_ = next;
  deadline_timer_.expires_after(delay);
  deadline_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self) self->on_deadline();
  });
}

void Trial::on_deadline() {
  if (is_over_ || std::chrono::steady_clock::now() < deadline_timer_.expiry()) return;
  if (at_deadline_ == NextSignal::Kill) {
    signal_group(SIGKILL);
    if (ended_) {
      arm(clearing_time, NextSignal::GiveUp);
    } else {
      at_deadline_ = NextSignal::None;
    }
  } else {
    is_over_ = true;
  }
  changed_();
}

proto::TrialExited Trial::exit_event() const {
  proto::TrialExited exited;
  exited.trial_id = id_;
  exited.killed_by = killed_by_.value_or("");
  exited.time_ms = unix_time_ms();
  exited.stderr_tail = read_tail(directory_ / "stderr");
  if (const auto failure = process_.launch_failure()) {
    exited.error = *failure;
  } else if (ended_ && ended_->si_code == CLD_EXITED) {
    exited.exit_code = ended_->si_status;
  } else if (ended_) {
    exited.signal = ended_->si_status;
  }
  return exited;
}

}  // namespace lathe::agent
