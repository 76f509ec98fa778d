// The launcher of kind "process": a trial is a process of this host, started afresh or forked from a warm parent.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>

#include "children.hpp"
#include "launcher.hpp"
#include "warm_pool.hpp"

namespace lathe::agent {

class ProcessLauncher final : public Launcher {
 public:
  /// `folder` is made if missing and holds the exit records of the trials that run.
  ProcessLauncher(boost::asio::io_context& io, Children& children, std::filesystem::path folder, spdlog::logger& log);

  [[nodiscard]] proto::Result<std::unique_ptr<Job>> start(Launch launch, Job::Changed changed) override;
  [[nodiscard]] std::unique_ptr<Job> adopt(const AdoptedTrial& trial, Job::Changed changed) override;
  void trial_ended(const std::string& trial_id) override { warm_parents_.trial_ended(trial_id); }
  void forget_strangers() override;

 private:
  [[nodiscard]] proto::Result<KeptProcess> make_process(const std::string& trial_id, Command command,
                                                        const Descriptor& exit_record);

  boost::asio::io_context& io_;
  std::filesystem::path folder_;
  std::string shell_;
  std::string boot_id_;
  WarmPool warm_parents_;
  std::set<std::string> adopted_;  ///< names of exit records
};

}  // namespace lathe::agent
