#include "experiment/launch.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LaunchTest : public ::testing::Test {
 protected:
  LaunchTest() {
    state_.row.record.id = "e1";
    state_.row.record.directory = "/data/experiments/e1";
    config_.trial_command = "python3 train.py";
    config_.trial_code_directory = "/home/ana/code";
    trial_.record.experiment_id = "e1";
    trial_.record.id = "abcde";
    trial_.record.attempt = 1;
    trial_.record.directory = "/data/experiments/e1/trials/abcde";
    here_.hello.root = "/data/agents/local/root";
    there_.spec.kind = HostSpec::Kind::Remote;
    there_.spec.id = "b";
    there_.spec.address = proto::SshAddress{};
    there_.hello.root = "/far/root";
    there_.hello.version = "1.2";
  }

  void compress() {
    proto::CompressionConfig compression;
    compression.model = "/models/lenet.pt";
    compression.input_shape = {1, 1, 8, 8};
    compression.data.train.source = proto::IdxFiles{"/sets/train-images", "/sets/train-labels"};
    compression.data.test.source = proto::ImageFolder{"/sets/pictures"};
    config_.compression = compression;
    config_.trial_command.reset();
  }

  Launch launch(const Station& station) {
    state_.config = std::make_shared<const proto::ExperimentConfig>(config_);
    return launch_trial(state_, trial_, station, "/opt/lathe-trial");
  }

  static const TrialInput* input_to(const Launch& launch, const std::string& to) {
    const auto found =
        std::find_if(launch.inputs.begin(), launch.inputs.end(), [&](const TrialInput& in) { return in.to == to; });
    return found == launch.inputs.end() ? nullptr : &*found;
  }

  ExperimentState state_;
  proto::ExperimentConfig config_;
  TrialRow trial_;
  Station here_;
  Station there_;
};

TEST_F(LaunchTest, HereATrialWorksInItsCodeFolder) {
  const Launch made = launch(here_);
  EXPECT_EQ(made.start.trial_id, "e1/abcde/1");
  EXPECT_EQ(made.start.working_directory, "/home/ana/code");
  EXPECT_EQ(made.start.directory, trial_.record.directory);
  EXPECT_EQ(made.start.code_tree, "");
  EXPECT_THAT(made.inputs, IsEmpty());
}

TEST_F(LaunchTest, ElsewhereItGetsACopyOfItsOwn) {
  const Launch made = launch(there_);
  EXPECT_EQ(made.start.directory, "/far/root/experiments/e1/trials/abcde.1");
  EXPECT_EQ(made.start.working_directory, made.start.directory + "/code");
  EXPECT_EQ(made.start.code_tree, "/far/root/experiments/e1/code");
  EXPECT_EQ(made.start.environment.at("NNI_CODE_DIR"), made.start.working_directory);
  EXPECT_EQ(made.start.environment.at("NNI_OUTPUT_DIR"), made.start.directory);
  ASSERT_EQ(made.inputs.size(), 1u);
  EXPECT_EQ(made.inputs[0].kind, TrialInput::Kind::Code);
  EXPECT_EQ(made.inputs[0].from, "/home/ana/code");
}

TEST_F(LaunchTest, GpusThatAreUnsetZeroOrGivenAreThreeDifferentThings) {
  here_.gpus = {1, 3};
  EXPECT_EQ(launch(here_).start.environment.count("CUDA_VISIBLE_DEVICES"), 0u) << "unset: it sees all";
  config_.trial_gpu_number = 0;
  EXPECT_EQ(launch(here_).start.environment.at("CUDA_VISIBLE_DEVICES"), "-1");
  config_.trial_gpu_number = 2;
  const auto environment = launch(here_).start.environment;
  EXPECT_EQ(environment.at("CUDA_VISIBLE_DEVICES"), "1,3");
  EXPECT_EQ(environment.at("CUDA_DEVICE_ORDER"), "PCI_BUS_ID");
  here_.spec.kind = HostSpec::Kind::Slurm;
  EXPECT_EQ(launch(here_).start.environment.count("CUDA_VISIBLE_DEVICES"), 0u) << "the cluster sets it";
}

TEST_F(LaunchTest, PythonPathComesFirst) {
  there_.spec.python_path = "/opt/it's/bin";
  EXPECT_EQ(launch(there_).start.command, "export PATH='/opt/it'\\''s/bin':\"$PATH\"\npython3 train.py");
}

TEST_F(LaunchTest, AClustersLauncherGoesAlong) {
  here_.spec.launcher = {{"kind", "slurm"}};
  EXPECT_EQ(launch(here_).start.launcher["kind"], "slurm");
}

TEST_F(LaunchTest, TheBuiltInTrialFindsModelDataAndSettingsUnderTheHostsPaths) {
  compress();
  const Launch made = launch(there_);
  const std::string files = "/far/root/experiments/e1/files";
  ASSERT_NE(input_to(made, files + "/models/lenet.pt"), nullptr);
  ASSERT_NE(input_to(made, files + "/sets/train-images"), nullptr);
  ASSERT_NE(input_to(made, files + "/sets/pictures"), nullptr);
  EXPECT_EQ(input_to(made, files + "/sets/pictures")->kind, TrialInput::Kind::Tree);
  const TrialInput* settings = input_to(made, made.start.environment.at("LATHE_COMPRESSION_CONFIG"));
  ASSERT_NE(settings, nullptr);
  EXPECT_THAT(settings->text, HasSubstr("\"" + files + "/models/lenet.pt\""));
  EXPECT_THAT(settings->text, HasSubstr("\"" + files + "/sets/train-labels\""));
  EXPECT_NE(input_to(made, made.start.environment.at("LATHE_SEARCH_SPACE")), nullptr);
  EXPECT_NE(input_to(made, made.start.environment.at("LATHE_BASELINE")), nullptr);
}

TEST_F(LaunchTest, AHostWithLatheTrialUsesItsOwnAndAnotherOneGetsOurs) {
  compress();
  Launch made = launch(there_);
  const TrialInput* program = input_to(made, "/far/root/lathe-trial-1.2/lathe-trial");
  ASSERT_NE(program, nullptr);
  EXPECT_EQ(program->kind, TrialInput::Kind::Program);
  EXPECT_EQ(made.start.command, "exec '/far/root/lathe-trial-1.2/lathe-trial' run");
  there_.hello.trial_program = "/usr/bin/lathe-trial";
  made = launch(there_);
  EXPECT_EQ(input_to(made, "/far/root/lathe-trial-1.2/lathe-trial"), nullptr);
  EXPECT_EQ(made.start.command, "exec '/usr/bin/lathe-trial' run");
}

TEST_F(LaunchTest, ThePreparationBringsNoResultOfItself) {
  compress();
  state_.config = std::make_shared<const proto::ExperimentConfig>(config_);
  const Launch made = launch_preparation(state_, there_, "/opt/lathe-trial");
  EXPECT_EQ(made.start.directory, "/far/root/experiments/e1/baseline");
  EXPECT_EQ(made.start.environment.at("LATHE_BASELINE"), "/far/root/experiments/e1/baseline/baseline.json");
  for (const TrialInput& input : made.inputs) EXPECT_EQ(input.to.find("baseline.json"), std::string::npos);
}

}  // namespace
}  // namespace lathe::manager
