#include "v1_conversion.hpp"

#include <string>

#include "config_fixture.hpp"

namespace lathe::proto {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class V1ConversionTest : public ConfigTest {
 protected:
  V1ConversionTest() { folder.write("search_space.json", R"({"x": {"_type": "uniform", "_value": [0, 1]}})"); }

  /// The config of NNI's guide to automatic compression, word by word but for the number of GPUs.
  static std::string guide(std::string_view gpus) {
    return R"(authorName: default
experimentName: Auto_Compression
trialConcurrency: 2
maxExecDuration: 100h
maxTrialNum: 500
#choice: local, remote, pai
trainingServicePlatform: local
#choice: true, false
useAnnotation: False
searchSpacePath: search_space.json
tuner:
  #choice: TPE, Random, Anneal...
  builtinTunerName: TPE
  classArgs:
    #choice: maximize, minimize
    optimize_mode: maximize
trial:
  command: bash run_prune.sh
  codeDir: .
  gpuNum: )" +
           std::string(gpus) + "\n";
  }
};

TEST_F(V1ConversionTest, ReadsNnisGuide) {
  const auto config = parse(guide("0"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->experiment_name, "Auto_Compression");
  EXPECT_EQ(config->trial_concurrency, 2);
  EXPECT_EQ(config->max_experiment_duration, seconds(360'000));
  EXPECT_EQ(config->max_trial_number, 500);
  EXPECT_EQ(config->tuner.kind, TunerKind::Tpe);
  EXPECT_EQ(config->tuner.optimize_mode, OptimizeMode::Maximize);
  EXPECT_EQ(config->trial_command, "bash run_prune.sh");
  EXPECT_EQ(config->trial_code_directory, folder.path());
  EXPECT_EQ(config->search_space.parameters.size(), 1U);
  EXPECT_THAT(config->warnings,
              ElementsAre(HasSubstr("config.yml:1: authorName: ignored"), HasSubstr("NNI v1 format")));
}

TEST_F(V1ConversionTest, NamesABadNumberOfGpusAsItsAuthorDid) {
  EXPECT_EQ(errors(guide("-1")), "config.yml:20: trial.gpuNum: expected an integer from 0 to 1000, found -1");
}

TEST_F(V1ConversionTest, ReadsMachinesInTheOldSpelling) {
  const auto config = parse(
      "trainingServicePlatform: remote\nmachineList:\n  - {ip: 10.0.0.1, username: ana, passwd: secret, port: 2222, "
      "gpuIndices: '0,1', maxTrialNumPerGpu: 2}\nsearchSpacePath: search_space.json\n"
      "trial: {command: x, codeDir: ., gpuNum: 1}\ntuner: {builtinTunerName: Random}\n");
  ASSERT_TRUE(config) << to_string(config.error());
  const auto& machine = std::get<RemoteService>(config->training_services.at(0)).machines.at(0);
  EXPECT_EQ(machine.address.name(), "ana@10.0.0.1:2222");
  EXPECT_EQ(machine.address.password.reveal(), "secret");
  EXPECT_EQ(machine.gpus.gpu_indices, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(machine.gpus.max_trials_per_gpu, 2);
  EXPECT_EQ(to_json(*config).dump().find("secret"), std::string::npos);
}

TEST_F(V1ConversionTest, RefusesWhatWouldChangeTheResult) {
  EXPECT_THAT(errors(guide("0") + "assessor: {builtinAssessorName: Medianstop}\n"),
              HasSubstr("assessor: not supported yet"));
  EXPECT_THAT(
      errors("trainingServicePlatform: local\nsearchSpacePath: search_space.json\ntrial: {command: x, codeDir: .}\n"
             "tuner: {codeDir: ., classFileName: t.py, className: T}\n"),
      HasSubstr("tuner.className: not supported yet: a tuner of your own"));
}

TEST_F(V1ConversionTest, SurvivesSectionsOfTheWrongType) {
  EXPECT_THAT(errors("trainingServicePlatform: local\ntuner: TPE\ntrial: [x]\nlocalConfig: 3\n"),
              ::testing::AllOf(HasSubstr("config.yml:2: tuner: expected an object"),
                               HasSubstr("config.yml:3: trial: expected an object"),
                               HasSubstr("config.yml:4: localConfig: expected an object")));
  EXPECT_THAT(errors("trainingServicePlatform: local\ntuner: {}\n"), HasSubstr("config.yml:2: tuner.name: required"));
}

}  // namespace
}  // namespace lathe::proto
