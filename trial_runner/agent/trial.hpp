// One trial: the job that its launcher made of it, its timers, its metrics.
//
// Loop thread only. What the journal must know before something happens goes to the owner first.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <lathe/proto/frames.hpp>

#include "launcher.hpp"
#include "metric_tail.hpp"
#include "spool.hpp"

namespace lathe::agent {

class TrialOwner {
 public:
  virtual void journal(const RunningTrial& trial) = 0;
  virtual void record(const std::vector<NewEvent>& events) = 0;
  /// The job has something else to say about itself.
  virtual void note(const std::string& trial_id, const std::string& text) = 0;
  /// There may be something new to read, or the trial has ended.
  virtual void advance(const std::string& trial_id) = 0;

 protected:
  ~TrialOwner() = default;
};

class Trial : public std::enable_shared_from_this<Trial> {
 public:
  /// A trial as it is, or is to be, journalled. `owner` must outlive it.
  Trial(boost::asio::io_context& io, RunningTrial running, TrialOwner& owner);

  /// To be given to the launcher with the job.
  [[nodiscard]] Job::Changed when_changed();

  /// A new job, which is not released yet.
  void take(std::unique_ptr<Job> job);
  /// The job of a former agent: what that agent had begun (a kill, a limit) is gone on with.
  void resume(std::unique_ptr<Job> job);

  /// Lets the job run.
  void release();

  /// SIGTERM now, SIGKILL after the grace time. Repeated: the first reason stays, the earlier SIGKILL wins.
  void kill(const std::string& reason, std::chrono::milliseconds grace);

  [[nodiscard]] const std::string& id() const { return running_.trial_id; }
  [[nodiscard]] const RunningTrial& running() const { return running_; }
  [[nodiscard]] MetricTail& metrics() { return metrics_; }
  [[nodiscard]] const Job& job() const { return *job_; }
  /// True when nothing of the trial is left that could still write.
  [[nodiscard]] bool is_over() const { return job_->end().has_value(); }
  /// The trial's end; call once it is over.
  [[nodiscard]] proto::TrialExited exit_event() const;
  /// The end is journalled.
  void forget() { job_->forget(); }

 private:
  void job_changed();
  void limit_duration();
  void arm_kill();

  RunningTrial running_;
  TrialOwner& owner_;
  MetricTail metrics_;
  std::unique_ptr<Job> job_;
  std::string note_;  ///< the last that was told
  boost::asio::steady_timer duration_timer_;
  boost::asio::steady_timer kill_timer_;
};

}  // namespace lathe::agent
