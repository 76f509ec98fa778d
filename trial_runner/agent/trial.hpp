// One trial that runs: its process group, its timers, its metrics.
//
// Loop thread only. The owner learns of a child's end (SIGCHLD) and of a grown metrics file, and tells the trial; the
// trial tells the owner through `changed` that a timer of its own has altered something.
#pragma once

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <lathe/proto/frames.hpp>

#include "metric_tail.hpp"
#include "process.hpp"

namespace lathe::agent {

class Trial : public std::enable_shared_from_this<Trial> {
 public:
  Trial(boost::asio::io_context& io, std::string id, std::filesystem::path directory, GatedProcess process,
        std::function<void()> changed);

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  [[nodiscard]] MetricTail& metrics() { return metrics_; }
  [[nodiscard]] bool has_ended() const { return ended_.has_value(); }
  /// True when the leader has ended and nothing of its group is left that could still write.
  [[nodiscard]] bool is_over() const { return is_over_; }

  /// Lets the process go.
  void release() { process_.release(); }

  /// Kills the trial as "duration" after so long.
  void limit_duration(std::chrono::seconds limit);

  /// SIGTERM to the group now, SIGKILL after the grace time. Repeated: the first reason stays, the earlier SIGKILL
  /// wins.
  void kill(const std::string& reason, std::chrono::milliseconds grace);

  /// The leader has ended and is not reaped yet. What is left of its group is killed: at once, or, when a kill is under
  /// way, after the rest of its grace time, which is meant for all of the group.
  void leader_ended(const siginfo_t& info);

  /// Looks whether the group is gone; call after children were reaped.
  void check_group();

  /// A new process has this trial's process id, so nothing of the trial can be left.
  void forget_group();

  /// The trial's end; call once it is over.
  [[nodiscard]] proto::TrialExited exit_event() const;

 private:
  enum class NextSignal { None, Kill, GiveUp };

  void arm(std::chrono::milliseconds delay, NextSignal next);
  void on_deadline();
  void signal_group(int number) const { ::kill(-process_.pid(), number); }

  std::string id_;
  std::filesystem::path directory_;
  GatedProcess process_;
  std::function<void()> changed_;
  MetricTail metrics_;
  boost::asio::steady_timer duration_timer_;
  boost::asio::steady_timer deadline_timer_;
  NextSignal at_deadline_ = NextSignal::None;
  std::optional<std::string> killed_by_;
  std::optional<siginfo_t> ended_;
  bool is_over_ = false;
};

}  // namespace lathe::agent
