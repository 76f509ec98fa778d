// The built program as a warm parent, asked by the agent's own code.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include <gmock/gmock.h>

#include "command.hpp"
#include "exit_record.hpp"
#include "keeper.hpp"
#include "kept_process.hpp"
#include "launch_plan.hpp"
#include "process_stat.hpp"
#include "trial_fixture.hpp"
#include "warm_parent.hpp"

namespace lathe::trial {
namespace {

namespace fs = std::filesystem;
using agent::Descriptor;
using agent::WarmParent;
using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kPatience{60};
const char* const kParameters = R"({"algorithm": {"_name": "l1", "sparsity": 0.5}})";

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Exit code of a child, or the negative of the signal.
int end_of(pid_t pid) {
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// What the keeper, a program that lathe-agent is, has written down.
struct Forked {
  agent::KeptProcess process;
  fs::path exit_record;

  void release() const { agent::open_gate(process.gate.get()); }
  /// Once the keeper has ended, whoever its parent is.
  [[nodiscard]] std::optional<agent::ExitRecord> end() const {
    while (agent::identify(process.keeper)) std::this_thread::yield();
    return agent::read_exit_record(exit_record);
  }
};

class Serve : public TrialProgram {
 protected:
  void SetUp() override {
    TrialProgram::SetUp();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  }

  /// Runs `serve` on the fixture's config.
  void start() {
    (void)folder().write("compression.json", proto::to_json(config).dump());
    auto started = WarmParent::start("/bin/bash", "exec env OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 '" +
                                                      std::string(LATHE_TRIAL_PROGRAM) + "' serve '" +
                                                      path("compression.json").string() + "' >'" +
                                                      path("warm.log").string() + "' 2>&1");
    ASSERT_TRUE(started);
    parent_.emplace(std::move(*started));
  }
  void start_and_wait() {
    start();
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!parent_->is_ready()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << content_of(path("warm.log"));
      std::this_thread::yield();
    }
  }

  /// A trial folder with parameters, and what the agent gives a trial in it.
  agent::Command command(const std::string& name, const std::string& parameters) const {
    const fs::path trial = path(name);
    fs::create_directory(trial);
    proto::ParameterRecord record;
    record.parameters = Json::parse(parameters);
    (void)folder().write(name + "/parameter.cfg", proto::to_text(record));
    const auto open = [](const fs::path& file, int flags) {
      return Descriptor(::open(file.c_str(), flags | O_CLOEXEC, 0600));
    };
    return {
        "/bin/false",
        "",
        {{"NNI_SYS_DIR", trial}, {"NNI_TRIAL_JOB_ID", name}, {"LATHE_COMPRESSION_CONFIG", path("compression.json")}},
        open(trial, O_PATH | O_DIRECTORY),
        open(trial / "stdout", O_WRONLY | O_CREAT),
        open(trial / "stderr", O_WRONLY | O_CREAT)};
  }
  [[nodiscard]] tl::expected<Forked, agent::ForkFailure> fork_trial(const std::string& name,
                                                                    const std::string& parameters = kParameters) {
    const fs::path file = path(name + ".exit");
    const Descriptor record = agent::make_exit_record(file).value();
    const Descriptor keeper(::open(LATHE_AGENT_PROGRAM, O_PATH | O_CLOEXEC));
    auto process = parent_->fork_trial(command(name, parameters), record, keeper, kPatience);
    if (!process) return tl::unexpected(process.error());
    return Forked{std::move(*process), file};
  }

  std::optional<WarmParent> parent_;
};

/// What a trial found out, without what a clock says.
Json results_in(const fs::path& report) {
  Json json = Json::parse(content_of(report));
  for (const char* clocked : {"default", "latency_ms", "speedup"}) {
    json["metrics"].erase(clocked);
    json["baseline"].erase(clocked);
  }
  json["costs"].erase("latency");
  for (auto& layer : json["layers"]) {
    EXPECT_GE(layer.at("latency_ms_after").get<double>(), 0);
    layer.erase("latency_ms_before");
    layer.erase("latency_ms_after");
  }
  json.erase("seconds");
  return json;
}

TEST_F(Serve, AForkedTrialFindsWhatAFreshOneFinds) {
  start_and_wait();
  for (const std::string name : {"one", "two"}) {
    auto trial = fork_trial(name);
    ASSERT_TRUE(trial) << trial.error().reason;
    trial->release();
    ASSERT_EQ(trial->end(), agent::ExitRecord(agent::ExitCode{0})) << content_of(path(name) / "stderr");
  }
  const Outcome fresh = run_trial(kParameters);
  ASSERT_EQ(fresh.exit_code, 0) << fresh.error;
  EXPECT_EQ(results_in(path("one/report.json")), results_in(path("report.json")));
  EXPECT_EQ(results_in(path("two/report.json")), results_in(path("report.json")));
  EXPECT_THAT(content_of(path("one/.nni/metrics")), HasSubstr("\"FINAL\""));
  EXPECT_THAT(content_of(path("one/stdout")), HasSubstr("algorithm l1"));
}

TEST_F(Serve, AForkedTrialIsAGroupOfItsOwnUnderAKeeper) {
  start_and_wait();
  auto trial = fork_trial("one");
  ASSERT_TRUE(trial) << trial.error().reason;
  const agent::KeptProcess& process = trial->process;
  const auto stat = agent::read_process_stat(process.command);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->group, process.command);
  EXPECT_EQ(stat->session, process.keeper);
  EXPECT_EQ(stat->parent, process.keeper);
  ::kill(process.keeper, agent::terminate_signal);
  EXPECT_EQ(trial->end(), agent::ExitRecord(agent::EndingSignal{SIGTERM}));
}

TEST_F(Serve, ATrialWhoseGateClosesDoesNothing) {
  start_and_wait();
  auto trial = fork_trial("one");
  ASSERT_TRUE(trial) << trial.error().reason;
  trial->process.gate.reset();
  EXPECT_EQ(trial->end(), agent::ExitRecord(proto::LaunchReport{proto::LaunchStep::Gate, 0}));
  EXPECT_EQ(content_of(path("one/stdout")), "");
}

TEST_F(Serve, ATrialOutlivesItsParent) {
  start_and_wait();
  auto trial = fork_trial("one");
  ASSERT_TRUE(trial) << trial.error().reason;
  const pid_t parent = parent_->pid();
  parent_.reset();
  EXPECT_EQ(end_of(parent), -SIGKILL);
  trial->release();
  EXPECT_EQ(trial->end(), agent::ExitRecord(agent::ExitCode{0})) << content_of(path("one/stderr"));
}

TEST_F(Serve, AFailedTrialEndsLikeAFreshOne) {
  start_and_wait();
  const std::string parameters = R"({"algorithm": {"_name": "l1", "conv3.sparsity": 0.5}})";
  auto trial = fork_trial("one", parameters);
  ASSERT_TRUE(trial) << trial.error().reason;
  trial->release();
  EXPECT_EQ(trial->end(), agent::ExitRecord(agent::ExitCode{2}));
  const Outcome fresh = run_trial(parameters);
  EXPECT_EQ(fresh.exit_code, 2);
  EXPECT_EQ(content_of(path("one/stderr")), fresh.error);
}

TEST_F(Serve, RefusesWhenAFileHasChanged) {
  const fs::path model = path("model.pt");
  fs::copy_file(config.model, model);
  config.model = model;
  start_and_wait();
  fs::last_write_time(model, fs::last_write_time(model) + std::chrono::seconds(1));
  const auto trial = fork_trial("one");
  ASSERT_FALSE(trial);
  EXPECT_TRUE(trial.error().is_refusal);
  EXPECT_EQ(trial.error().reason, model.string() + " has changed");
  EXPECT_EQ(end_of(parent_->pid()), 0);
  parent_->forget_process();
}

TEST_F(Serve, ServesNoTrialsOfSeveralThreads) {
  config.threads = 2;
  start();
  EXPECT_EQ(end_of(parent_->pid()), 2);
  parent_->forget_process();
  EXPECT_THAT(content_of(path("warm.log")), HasSubstr("threads is 2; only trials with one thread can be forked"));
}

TEST_F(Serve, SaysInItsLogWhyItCannotServe) {
  config.model = path("missing.pt");
  start();
  EXPECT_EQ(end_of(parent_->pid()), 2);
  parent_->forget_process();
  EXPECT_THAT(content_of(path("warm.log")), HasSubstr("missing.pt"));
}

}  // namespace
}  // namespace lathe::trial
