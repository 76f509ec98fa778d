// What Slurm knows about the jobs of this agent: asks for all of them at once, and has ended what is to end.
//
// It asks every second while something changes and every ten when nothing does, and at once when a job's folder tells
// that it has begun or ended. A command that fails or hangs ends no trial: it is run again, after longer and longer
// pauses. A job in the agent's name that no trial knows is cancelled.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "poll_pace.hpp"
#include "slurm/slurm_commands.hpp"
#include "slurm/slurm_jobs.hpp"
#include "slurm/slurm_times.hpp"

namespace lathe::agent {

class SlurmQueue {
 public:
  SlurmQueue(boost::asio::io_context& io, SlurmCommands& commands, SlurmJobs& jobs, std::string owner, SlurmTimes times,
             spdlog::logger& log);

  /// There is something new to learn.
  void poll_soon();
  /// Jobs that nobody knows are looked for once, though there may be no others.
  void look_for_strangers();
  void cancel_soon();
  [[nodiscard]] bool has_accounting() const { return has_accounting_; }

 private:
  using Clock = std::chrono::steady_clock;

  void arm(std::chrono::milliseconds wait);
  void poll();
  [[nodiscard]] std::set<std::string> clusters() const;
  void ask(const std::string& cluster);
  void take_listing(const std::string& cluster, const ProgramOutput& run);
  void take_failure(const std::string& cluster, const std::string& why);
  void answered();
  [[nodiscard]] bool is_news(const std::string& cluster, const JobListing& listing);
  void cancel_strangers(const std::string& cluster, const JobListing& listing);
  void ask_account(const std::string& cluster);

  void cancel();
  void send_cancels(const std::string& cluster, bool by_term);
  void watch_files();

  SlurmCommands& commands_;
  SlurmJobs& jobs_;
  std::string owner_;
  SlurmTimes times_;
  spdlog::logger& log_;
  boost::asio::steady_timer poll_timer_;
  boost::asio::steady_timer cancel_timer_;
  boost::asio::steady_timer file_timer_;
  PollPace pace_;
  std::chrono::milliseconds retry_;
  std::size_t asking_ = 0;  ///< listings under way
  bool is_armed_ = false;
  bool is_soon_ = false;  ///< something new came up while a listing was under way
  bool has_failed_ = false;
  bool is_watching_files_ = false;
  bool is_cancelling_soon_ = false;
  bool seeks_strangers_ = false;
  bool has_accounting_ = true;
  std::map<std::string, std::string> last_;     ///< by cluster: what the listing said of our jobs
  std::map<std::string, std::string> trouble_;  ///< by cluster: why it cannot be asked
};

}  // namespace lathe::agent
