// A Slurm made of shell scripts, and a launcher that talks to it: what Slurm would decide, the test decides.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>

#include "children.hpp"
#include "slurm/slurm_launcher.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {

/// sbatch, squeue, scancel and sacct in a folder in front of PATH.
class FakeSlurm {
 public:
  FakeSlurm();
  ~FakeSlurm();
  FakeSlurm(const FakeSlurm&) = delete;
  FakeSlurm& operator=(const FakeSlurm&) = delete;

  /// From now on the program does this (shell) instead; empty: what it does of its own.
  void answer(const std::string& program, const std::string& shell) const;
  /// The arguments of all calls of the program, a line each.
  [[nodiscard]] std::vector<std::string> calls(const std::string& program) const;

  /// Names of all jobs, as squeue has them: "1", "2_0".
  [[nodiscard]] std::vector<std::string> jobs() const;
  [[nodiscard]] std::string state_of(const std::string& name) const;
  void set(const std::string& name, const std::string& state, const std::string& reason = "None", int status = 0) const;
  /// Slurm no longer knows it.
  void forget(const std::string& name) const;
  /// Runs the job's script to its end and sets COMPLETED or FAILED. Its exit code.
  int run(const std::string& name) const;
  /// Runs the job's script, and leaves its state as it is.
  int run_script(const std::string& name) const;

 private:
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return folder_.path() / name; }

  TemporaryFolder folder_;
  std::string path_;  ///< PATH before
};

class SlurmTest : public testing::Test {
 protected:
  SlurmTest();

  struct Started {
    std::unique_ptr<Job> job;
    std::vector<nlohmann::ordered_json> records;  ///< each that was told
  };

  /// Prepares a trial, journals nothing and releases it.
  Started& start(const std::string& id, const std::string& command = "true",
                 const nlohmann::ordered_json& settings = {{"kind", "slurm"}});
  [[nodiscard]] proto::Result<std::unique_ptr<Job>> try_start(const std::string& id, const std::string& command,
                                                              const nlohmann::ordered_json& settings);
  /// Another agent's launcher takes over the job from its last record.
  Started& adopt(const std::string& id, const nlohmann::ordered_json& record);
  /// The agent is killed: its jobs are let go, and a new launcher stands in its place.
  void next_launcher();

  /// Lets the loop run until the condition holds; fails when that takes too long.
  void wait_until(const std::function<bool()>& condition, const std::string& what);
  /// Lets the loop run until `count` more listings were made.
  void wait_for_listings(std::size_t count);
  const JobEnd& end_of(Started& started);
  void wait_for_jobs(std::size_t count);

  [[nodiscard]] std::filesystem::path directory_of(const std::string& id) const {
    return folder_.path() / "trials" / id;
  }

  FakeSlurm slurm_;
  TemporaryFolder folder_;
  std::ostringstream log_text_;
  std::unique_ptr<spdlog::logger> log_;
  boost::asio::io_context io_;
  Children children_{io_};
  SlurmTimes times_;
  std::unique_ptr<SlurmLauncher> launcher_;
  std::map<std::string, Started> jobs_;
};

}  // namespace lathe::agent
