#include "agent_fixture.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <utility>

namespace lathe::agent {

// As a subreaper the test is told when a detached agent ends.
AgentTest::AgentTest() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

AgentTest::~AgentTest() {
  if (agent_ == 0) return;
  ::kill(agent_, SIGTERM);
  wait_for_agent();
}

std::filesystem::path AgentTest::script(const std::string& name, const std::string& text) const {
  const std::filesystem::path file = folder_.path() / name;
  std::ofstream(file) << "#!/bin/sh\n" << text;
  ::chmod(file.c_str(), 0755);
  return file;
}

int AgentTest::run_agent(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{LATHE_AGENT_PROGRAM, "--state-dir", state_.string()};
  words.insert(words.end(), {"--trial-program", trial_program_.string(), "--nvidia-smi", nvidia_smi_.string()});
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (::posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0)
    throw std::runtime_error("posix_spawn");
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::unique_ptr<FakeDaemon> AgentTest::start_agent(const std::vector<std::string>& arguments) {
  const int code = run_agent(arguments);
  if (code != 0) throw std::runtime_error("the agent exits with " + std::to_string(code));
  auto daemon = std::make_unique<FakeDaemon>(state_);
  agent_ = static_cast<pid_t>(daemon->hello().pid);
  return daemon;
}

void AgentTest::kill_agent() {
  ::kill(agent_, SIGKILL);
  wait_for_agent();
}

int AgentTest::wait_for_agent() {
  int status = 0;
  ::waitpid(std::exchange(agent_, 0), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

proto::StartTrial AgentTest::trial(const std::string& id, const std::string& command) const {
  proto::StartTrial start;
  start.trial_id = id;
  start.command = command;
  start.working_directory = folder_.path();
  start.directory = directory_of(id);
  start.environment = {{"NNI_SYS_DIR", start.directory}};
  start.parameter_file = "{\"parameter_id\": 0}";
  return start;
}

std::string write_metric(const std::string& json) {
  return "json='" + json + "'; printf 'ME%06d%s\\n' $((${#json} + 1)) \"$json\" >> $NNI_SYS_DIR/.nni/metrics; ";
}

}  // namespace lathe::agent
