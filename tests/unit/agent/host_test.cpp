// What the agent tells about its host: Hello and HostReport.

#include <signal.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "agent_fixture.hpp"
#include "files.hpp"
#include "gpu_query.hpp"
#include "host_facts.hpp"
#include "host_monitor.hpp"
#include "process_stat.hpp"

namespace lathe::agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class HostTest : public AgentTest {
 protected:
  /// An nvidia-smi that prints the content of two files.
  [[nodiscard]] std::filesystem::path fake_smi() const {
    const std::string folder = folder_.path();
    return script("fake-smi",
                  "case $1 in --query-gpu=*) cat " + folder + "/gpus;; *) cat " + folder + "/apps;; esac\n");
  }
  void write(const std::string& name, const std::string& text) const {
    const auto file = folder_.path() / name;
    append_to(file.string() + ".new", text);
    std::filesystem::rename(file.string() + ".new", file);
  }

  const std::string gpus_ =
      "0, GPU-aa, NVIDIA H100 80GB HBM3, 81559, 1024, 17\n"
      "1, GPU-bb, Odd, Name, 16384, [N/A], [N/A]\n";
};

TEST_F(HostTest, AHostWithoutGpusTellsTheRest) {
  const auto daemon = start_agent();
  const auto report = daemon->wait_for_report();
  EXPECT_THAT(report.gpus, IsEmpty());
  EXPECT_EQ(report.gpu_error, "");
  EXPECT_GE(report.cores, 1);
  EXPECT_GE(report.load, 0);
  EXPECT_GT(report.memory_bytes, report.memory_free_bytes);
  EXPECT_GT(report.memory_free_bytes, 0);
  EXPECT_GT(report.disk_free_bytes, 0);
  EXPECT_GT(report.time_ms, 0);
}

TEST_F(HostTest, TellsGpusAndTheTrialsOnThem) {
  nvidia_smi_ = fake_smi();
  write("gpus", gpus_);
  write("apps", "GPU-aa, " + std::to_string(::getpid()) + ", /opt/a, b/python3\n");
  auto daemon = start_agent();
  auto report = daemon->wait_for_report();
  ASSERT_THAT(report.gpus, SizeIs(2));
  EXPECT_EQ(report.gpus[0].uuid, "GPU-aa");
  EXPECT_EQ(report.gpus[0].name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(report.gpus[0].memory_bytes, 81559LL << 20);
  EXPECT_EQ(report.gpus[0].memory_used_bytes, 1024LL << 20);
  EXPECT_EQ(report.gpus[0].utilization, 17);
  ASSERT_THAT(report.gpus[0].processes, SizeIs(1));
  EXPECT_EQ(report.gpus[0].processes[0].name, "agent_tests");
  EXPECT_EQ(report.gpus[0].processes[0].trial_id, "");
  EXPECT_EQ(report.gpus[1].index, 1);
  EXPECT_EQ(report.gpus[1].name, "Odd, Name");

  // In the trial's group, and out of it in a session of its own.
  daemon->send(trial("a", "setsid sleep 1000 & echo $! > $NNI_SYS_DIR/child; " + write_metric("1") + "wait"));
  daemon->wait_for_metric("a");
  const auto& started = std::get<proto::TrialStarted>(daemon->events.at(0).event);
  const std::string child = content_of(directory_of("a") / "child");
  write("apps", "GPU-bb, " + std::to_string(started.pid) + ", bash\nGPU-bb, " + child.substr(0, child.size() - 1) +
                    ", [Not Found]\n");
  do report = daemon->wait_for_report();
  while (report.gpus.at(1).processes.size() != 2);
  for (const auto& process : report.gpus[1].processes) EXPECT_EQ(process.trial_id, "a");
  EXPECT_EQ(report.gpus[1].processes[1].name, "sleep");
  ::kill(std::stoi(child), SIGKILL);
}

TEST_F(HostTest, TellsWhyGpusCannotBeLookedAt) {
  nvidia_smi_ = script("broken-smi", "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18\n");
  EXPECT_THAT(start_agent()->wait_for_report().gpu_error,
              HasSubstr("exit code 18: \"Failed to initialize NVML: Driver/library version mismatch\""));
}

TEST_F(HostTest, AHangingNvidiaSmiHoldsUpNothing) {
  nvidia_smi_ = script("hanging-smi", "exec sleep 1000\n");
  const auto daemon = start_agent();
  daemon->send(trial("a", "exit 3"));
  EXPECT_EQ(daemon->wait_for_exit("a").exit_code, 3);
  EXPECT_THAT(daemon->reports, IsEmpty());
  EXPECT_THAT(daemon->wait_for_report().gpu_error, HasSubstr("no answer in"));
}

TEST(GpuOutput, WhatIsNoAnswerIsQuoted) {
  EXPECT_THAT(parse_gpus("hello\n").error().message, HasSubstr("\"hello\""));
  EXPECT_THAT(parse_gpus("x, GPU-a, n, 1, 1, 1\n").error().message, HasSubstr("\"x, GPU-a, n, 1, 1, 1\""));
  EXPECT_THAT(parse_gpus("0, GPU-a, n, 1, 1, 1\n\nno process\n").error().message, HasSubstr("\"no process\""));
  EXPECT_THAT(parse_gpus("").value(), IsEmpty());
  EXPECT_THAT(parse_gpus("0, GPU-a, n, 1, 1, 1\n\nGPU-gone, 3, x\n").value().at(0).processes, IsEmpty());
  EXPECT_EQ(parse_gpus("0, GPU-a, n, -5, 1, 900").value().at(0).memory_bytes, 0);
  EXPECT_EQ(parse_gpus("0, GPU-a, n, -5, 1, 900").value().at(0).utilization, 100);
}

TEST(HostReports, LoadAndFreeSpaceAloneAreNoNews) {
  proto::HostReport one;
  one.gpus.resize(1);
  proto::HostReport other = one;
  other.load = 3;
  other.memory_free_bytes = 1;
  other.disk_free_bytes = 1;
  other.time_ms = 1;
  EXPECT_FALSE(differ_in_substance(one, other));
  other.gpus[0].memory_used_bytes = 1;
  EXPECT_TRUE(differ_in_substance(one, other));
}

TEST_F(HostTest, TheRootIsInTheStateFolderOrWhereItIsPut) {
  EXPECT_EQ(start_agent()->hello().root, (state_ / "root").string());
  kill_agent();
  const auto elsewhere = folder_.path() / "big/disk";
  EXPECT_EQ(start_agent({"--root", elsewhere})->hello().root, elsewhere.string());
  EXPECT_TRUE(std::filesystem::is_directory(elsewhere));
}

TEST_F(HostTest, TellsTheTrialProgramOfItsOwnVersionOnly) {
  const std::string count = "echo >> " + (folder_.path() / "asked").string() + "; ";
  trial_program_ = script("trial", count + "echo " LATHE_VERSION "\n");
  EXPECT_EQ(start_agent()->hello().trial_program, trial_program_.string());
  EXPECT_EQ(FakeDaemon(state_).hello().trial_program, trial_program_.string());
  kill_agent();
  EXPECT_EQ(start_agent()->hello().trial_program, trial_program_.string());
  EXPECT_EQ(content_of(folder_.path() / "asked"), "\n") << "the answer is remembered";
  script("trial", "echo 0.0.1-of-old\n");
  EXPECT_EQ(FakeDaemon(state_).hello().trial_program, "");
  script("trial", "exit 1\n");
  EXPECT_EQ(FakeDaemon(state_).hello().trial_program, "");
}

TEST_F(HostTest, ATrialProgramThatHangsDelaysTheHelloOnlySoLong) {
  trial_program_ = script("trial", "exec sleep 1000\n");
  EXPECT_EQ(start_agent()->hello().trial_program, "");
}

}  // namespace
}  // namespace lathe::agent
