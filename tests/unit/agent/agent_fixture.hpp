// Real agents on a state folder of a test's own.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fake_daemon.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {

class AgentTest : public testing::Test {
 protected:
  AgentTest();
  ~AgentTest() override;

  /// Runs the program; returns its exit code. Without --foreground that is when the agent listens, or could not.
  int run_agent(const std::vector<std::string>& arguments = {});

  /// Starts the agent and connects to it. For a later connection use `std::make_unique<FakeDaemon>(state_)`.
  std::unique_ptr<FakeDaemon> start_agent(const std::vector<std::string>& arguments = {});

  /// SIGKILL to the agent, which is dead when this returns.
  void kill_agent();
  /// Waits for the agent to end by itself; its exit code, or -1 when a signal ended it.
  int wait_for_agent();

  /// A shell script in the test's folder.
  std::filesystem::path script(const std::string& name, const std::string& text) const;

  /// A start of `command` under the id in the trial's own folder.
  [[nodiscard]] proto::StartTrial trial(const std::string& id, const std::string& command) const;
  [[nodiscard]] std::filesystem::path directory_of(const std::string& id) const {
    return folder_.path() / "trials" / id;
  }

  TemporaryFolder folder_;
  std::filesystem::path state_ = folder_.path() / "state";
  std::filesystem::path trial_program_ = "/nowhere/lathe-trial";
  std::filesystem::path nvidia_smi_ = script("no-gpus", "exit 6\n");  ///< says that there are no devices
  pid_t agent_ = 0;                                                   ///< the agent that runs; 0: none
};

/// A shell command that writes one metric frame.
[[nodiscard]] std::string write_metric(const std::string& json);

}  // namespace lathe::agent
