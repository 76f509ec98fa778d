// The launcher of kind "slurm": a trial is a job of a Slurm cluster, submitted from this host.
//
// Nothing is submitted that a next agent would not find: the token of a submission is journalled before sbatch runs,
// stands in the comment of the job, and names the claim (claim.hpp) without which no trial runs. A submission with
// --hold, to be released later, would need two requests each and leave jobs on hold behind.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>

#include "children.hpp"
#include "launcher.hpp"
#include "slurm/slurm_commands.hpp"
#include "slurm/slurm_jobs.hpp"
#include "slurm/slurm_queue.hpp"
#include "slurm/slurm_times.hpp"
#include "slurm/submitter.hpp"

namespace lathe::agent {

class SlurmLauncher final : public Launcher, private SlurmDesk {
 public:
  /// `owner_file` holds the name in which jobs are submitted; it is made with the first one.
  SlurmLauncher(boost::asio::io_context& io, Children& children, std::filesystem::path owner_file, spdlog::logger& log,
                SlurmTimes times = {});

  [[nodiscard]] proto::Result<std::unique_ptr<Job>> start(Launch launch, Job::Changed changed) override;
  [[nodiscard]] std::unique_ptr<Job> adopt(const AdoptedTrial& trial, Job::Changed changed) override;
  /// Jobs in this agent's name that no trial knows are cancelled.
  void forget_strangers() override;

 private:
  [[nodiscard]] std::uint64_t enter(SlurmJob& job) override;
  void leave(const SlurmJob& job) override { jobs_.remove(job.number()); }
  void submit_soon(const SlurmJob& job) override { submitter_.add(job.number()); }
  void cancel_soon() override { queue_.cancel_soon(); }
  [[nodiscard]] const std::string& owner() const override { return owner_; }
  [[nodiscard]] bool has_accounting() const override { return queue_.has_accounting(); }
  [[nodiscard]] proto::Result<void> note_owner();

  std::filesystem::path owner_file_;
  bool is_noted_;  ///< the file exists
  std::string owner_;
  SlurmJobs jobs_;
  SlurmCommands commands_;
  SlurmQueue queue_;
  Submitter submitter_;
};

}  // namespace lathe::agent
