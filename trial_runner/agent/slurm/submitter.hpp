// Hands jobs to sbatch: one command at a time, and jobs that wait at the same time and differ in nothing that sbatch
// sees become one array.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "slurm/slurm_commands.hpp"
#include "slurm/slurm_jobs.hpp"
#include "slurm/slurm_times.hpp"
#include "slurm/submission.hpp"

namespace lathe::agent {

class Submitter {
 public:
  /// `answered` is called when Slurm has taken jobs, or may have.
  Submitter(boost::asio::io_context& io, SlurmCommands& commands, SlurmJobs& jobs, std::string owner, SlurmTimes times,
            spdlog::logger& log, std::function<void()> answered);

  void add(std::uint64_t number);

 private:
  using Numbers = std::vector<std::uint64_t>;

  void arm(std::chrono::milliseconds wait);
  void submit_next();
  [[nodiscard]] Numbers next_batch() const;
  void submit(const Numbers& batch);
  [[nodiscard]] proto::Result<Submission> lay_out(const Numbers& batch, const std::string& token) const;
  [[nodiscard]] proto::Result<void> lay_out_array(const Numbers& batch, Submission& submission) const;
  void take_answer(const Numbers& batch, const ProgramOutput& run);
  void take(const Numbers& batch, const Refused& refused);
  void for_batch(const Numbers& batch, const std::function<void(SlurmJob&)>& function) const;

  SlurmCommands& commands_;
  SlurmJobs& jobs_;
  std::string owner_;
  SlurmTimes times_;
  spdlog::logger& log_;
  std::function<void()> answered_;
  boost::asio::steady_timer timer_;
  std::set<std::uint64_t> waiting_;  ///< in the order of their starts
  std::chrono::milliseconds retry_;
  bool is_submitting_ = false;
  bool is_waiting_ = false;           ///< for the timer
  std::size_t largest_array_ = 1000;  ///< one below Slurm's default of MaxArraySize; 1: arrays are refused here
};

}  // namespace lathe::agent
