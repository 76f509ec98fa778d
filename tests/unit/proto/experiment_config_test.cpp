#include <lathe/proto/experiment_config.hpp>

#include <string>

#include "config_fixture.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ExperimentConfigTest : public ConfigTest {
 protected:
  ExperimentConfigTest() {
    folder.write("search_space.json", "{\"lr\": {\"_type\": \"loguniform\", \"_value\": [0.0001, 0.1]},}");
    std::filesystem::create_directory(folder.path() / "code");
  }

  /// NNI's own example, as its documentation has it but for the GPU.
  static constexpr std::string_view nni_example = R"(
experimentName: MNIST
searchSpaceFile: search_space.json
trialCommand: python3 mnist.py
trialCodeDirectory: code
trialGpuNumber: 0
trialConcurrency: 4
maxExperimentDuration: 1h
maxTrialNumber: 10
tuner:
  name: TPE
  classArgs:
    optimize_mode: maximize
trainingService:
  platform: local
)";

  /// A good config in short, to which a test adds lines; the first of those is line 4.
  static std::string with(std::string_view lines) {
    return "searchSpace: {x: {_type: uniform, _value: [0, 1]}}\ntrialCommand: run\ntuner: {name: Random}\n" +
           std::string(lines);
  }
};

TEST_F(ExperimentConfigTest, ReadsNnisExample) {
  const auto config = parse(nni_example);
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->experiment_name, "MNIST");
  EXPECT_EQ(config->search_space.parameters.at(0).name, "lr");
  EXPECT_EQ(config->trial_command, "python3 mnist.py");
  EXPECT_FALSE(config->compression);
  EXPECT_EQ(config->trial_code_directory, folder.path() / "code");
  EXPECT_EQ(config->trial_concurrency, 4);
  EXPECT_EQ(config->max_experiment_duration, seconds(3600));
  EXPECT_EQ(config->max_trial_number, 10);
  EXPECT_FALSE(config->max_trial_duration);
  EXPECT_EQ(config->tuner.kind, TunerKind::Tpe);
  EXPECT_EQ(config->tuner.optimize_mode, OptimizeMode::Maximize);
  ASSERT_EQ(config->training_services.size(), 1u);
  EXPECT_EQ(platform_of(config->training_services[0]), "local");
  EXPECT_TRUE(config->warnings.empty());
}

TEST_F(ExperimentConfigTest, ReadsTheSameInJsonAndSnakeCase) {
  const auto config = parse(R"({
    "experiment_name": "MNIST", "search_space_file": "search_space.json", "TRIAL_COMMAND": "python3 mnist.py",
    "trial_code_directory": "code", "trialgpunumber": 0, "trial_concurrency": 4, "max_experiment_duration": 3600,
    "max_trial_number": 10, "tuner": {"name": "tpe", "class_args": {"optimize_mode": "maximize"}}, // as above
    "training_service": {"platform": "local"},
  })");
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(to_json(*config).dump(), to_json(*parse(nni_example)).dump());
}

TEST_F(ExperimentConfigTest, TakesNullForUnset) {
  const auto config = parse(with("maxTrialNumber: null\nmaxTrialDuration: ~\nassessor:\ncompression: null\n"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_FALSE(config->max_trial_number);
  EXPECT_EQ(config->trial_concurrency, 1);
  EXPECT_EQ(config->trial_code_directory, folder.path());
}

TEST_F(ExperimentConfigTest, CanonicalFormReadsBack) {
  const auto config = parse(nni_example);
  ASSERT_TRUE(config);
  const ordered_json json = to_json(*config);
  const auto again = parse_experiment_config(json.dump(), {});
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(to_json(*again).dump(), json.dump());
  EXPECT_EQ(json["maxExperimentDuration"], "3600s");
  EXPECT_EQ(json["trialCodeDirectory"], (folder.path() / "code").string());
  EXPECT_FALSE(json.contains("maxTrialDuration"));
}

TEST_F(ExperimentConfigTest, CanonicalFormReadsBackAfterFilesHaveGone) {
  const std::string text = to_json(*parse(nni_example)).dump();
  std::filesystem::remove(folder.path() / "code");
  EXPECT_THAT(errors_of(parse_experiment_config(text, {})), HasSubstr("trialCodeDirectory"));
  EXPECT_EQ(errors_of(parse_experiment_config(text, {.file = "", .search_path = {}, .canonical = true})), "");
}

TEST_F(ExperimentConfigTest, CanonicalFormMayBeLargerThanWhatAnAuthorMayWrite) {
  std::string options;
  for (int i = 0; i < 100'000; ++i) options += (i == 0 ? "" : ",") + std::to_string(i) + "e-9";
  folder.write("wide.yml", "x: {_type: choice, _value: [" + options + "]}\n");
  const std::string deep = std::string(61, '[') + std::string(61, ']');
  folder.write("deep.yml", "x: {_type: choice, _value: [" + deep + "]}\n");
  for (const char* file : {"wide.yml", "deep.yml"}) {
    const auto config = parse(std::string("searchSpaceFile: ") + file + "\ntrialCommand: run\ntuner: {name: Random}\n");
    ASSERT_TRUE(config) << to_string(config.error());
    const std::string text = to_json(*config).dump(4);
    EXPECT_EQ(errors_of(parse_experiment_config(text, {.file = "", .search_path = {}, .canonical = true})), "") << file;
  }
}

TEST_F(ExperimentConfigTest, WarnsOfWhatItIgnores) {
  const auto config =
      parse(with("debug: true\nlogLevel: info\nnniManagerIp: 10.0.0.1\nexperimentWorkingDirectory: ~/x\n"
                 "tunerGpuIndices: [0]\ntrainingService: {platform: local, useActiveGpu: false, reuseMode: true}\n"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_THAT(config->warnings, ElementsAre("config.yml:4: debug: ignored: true, since Lathe does not act on it yet",
                                            HasSubstr("logLevel: ignored"), HasSubstr("nniManagerIp"),
                                            HasSubstr("experimentWorkingDirectory"), HasSubstr("tunerGpuIndices"),
                                            HasSubstr("config.yml:9: trainingService.reuseMode: ignored")));
}

TEST_F(ExperimentConfigTest, SaysNothingOfHarmlessDefaults) {
  const auto config =
      parse(with("debug: false\nuseAnnotation: False\nexperimentType: hpo\ntrialGpuNumber: 0\n"
                 "trainingService: {platform: Local, reuseMode: false, maxTrialNumberPerGpu: 1}\n"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_TRUE(config->warnings.empty());
}

TEST_F(ExperimentConfigTest, ReadsASearchSpaceFileInYaml) {
  folder.write("space.yml", "units:\n  _type: randint\n  _value: [1, 9]\n");
  const auto config = parse("searchSpaceFile: space.yml\ntrialCommand: run\ntuner: {name: Random}\n");
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(std::get<RandInt>(config->search_space.parameters.at(0).distribution).high, 9);
}

TEST_F(ExperimentConfigTest, NamesTheFileOfErrorsInTheSearchSpace) {
  const auto bad = folder.write("bad.json", "{\n  \"x\": {\"_type\": \"uniform\",\n   \"_value\": [2, 1]}\n}");
  EXPECT_EQ(errors("searchSpaceFile: bad.json\ntrialCommand: run\ntuner: {name: Random}\nmaxTrialNumber: 0\n"),
            "config.yml:4: maxTrialNumber: expected an integer >= 1, found 0\n" + bad.string() +
                ":3: searchSpace.x._value: uniform needs low < high, found low 2 and high 1");
  const auto broken = folder.write("broken.json", "{\"x\": 1,\n \"x\": 2}");
  EXPECT_EQ(errors("searchSpaceFile: broken.json\ntrialCommand: run\ntuner: {name: Random}\n"),
            broken.string() + ":2: duplicate key \"x\": already given on line 1");
  const auto huge = folder.write("huge.json", std::string((std::size_t{2} << 20) + 1, ' '));
  EXPECT_THAT(errors("searchSpaceFile: huge.json\ntrialCommand: run\ntuner: {name: Random}\n"), HasSubstr("too large"));
}

TEST_F(ExperimentConfigTest, ReportsEveryErrorInTheOrderOfLines) {
  const std::string text =
      "maxTrialNumber: 0\ntrialConcurency: 2\ntrialConcurrency: two\nsearchSpace:\n  x:\n    _type: uniform\n    "
      "_value: [1, 0]\n"
      "tuner:\n  name: TPE\n  classArgs:\n    seed: -1\n";
  const auto config = parse(text);
  ASSERT_FALSE(config);
  std::vector<std::string> where;
  for (const Error& error : config.error()) where.push_back(std::to_string(error.line) + " " + error.field);
  EXPECT_THAT(where, ElementsAre("1 maxTrialNumber", "1 trialCommand", "2 trialConcurency", "3 trialConcurrency",
                                 "7 searchSpace.x._value", "11 tuner.classArgs.seed"));
}

TEST_F(ExperimentConfigTest, KeepsEveryErrorOnOneLine) {
  EXPECT_EQ(errors(with("colour: \"a\\nb\"\n")), "config.yml:4: colour: unknown key, with the value \"a\\nb\"");
}

TEST_F(ExperimentConfigTest, BoundsTheNumberOfErrors) {
  std::string text = "{";
  for (int i = 0; i < 3000; ++i) text += "\"key" + std::to_string(i) + "\": 1,";
  const auto config = parse(text + "}");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().size(), 1001U);
  EXPECT_THAT(config.error().back().message, HasSubstr("more errors"));
}

TEST_F(ExperimentConfigTest, KnowsNoFolderForABareRequest) {
  const std::string text = with("");
  EXPECT_THAT(errors_of(parse_experiment_config(text, {})),
              HasSubstr("trialCodeDirectory: required: an absolute path"));
  EXPECT_EQ(errors_of(parse_experiment_config(text, {.file = "", .search_path = {folder.path() / "none"}})),
            "line 1: trialCodeDirectory: its default " + (folder.path() / "none").string() + " does not exist");
}

struct BadConfig {
  const char* lines;
  const char* message;
};

class WrongExperimentConfig : public ExperimentConfigTest, public ::testing::WithParamInterface<BadConfig> {};

TEST_P(WrongExperimentConfig, IsRefused) {
  EXPECT_THAT(errors(with(GetParam().lines)), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Proto, WrongExperimentConfig,
    ::testing::Values(
        BadConfig{"trialConcurency: 2",
                  "config.yml:4: trialConcurency: unknown key, with the value 2; did you mean \"trialConcurrency\"?"},
        BadConfig{"colour: red", "config.yml:4: colour: unknown key, with the value \"red\""},
        BadConfig{"trial_command: x",
                  "config.yml:4: trial_command: duplicate key: means the same as the one on line 2"},
        BadConfig{"tuner: {name: TPE}", "config.yml:4: duplicate key \"tuner\": already given on line 3"},
        BadConfig{"trialConcurrency: 0", "trialConcurrency: expected an integer from 1 to 99999, found 0"},
        BadConfig{"trialConcurrency: true", "found true"}, BadConfig{"trialConcurrency: '2'", "found \"2\""},
        BadConfig{"trialConcurrency: 1.5", "found 1.5"},
        BadConfig{"maxTrialNumber: -1", "maxTrialNumber: expected an integer >= 1, found -1"},
        BadConfig{"maxTrialDuration: 5 min", "maxTrialDuration: expected a number with unit"},
        BadConfig{"maxExperimentDuration: 0", "maxExperimentDuration: expected a duration longer than 0, found 0"},
        BadConfig{"experimentName: [a]", "experimentName: expected a text that is not empty, found a list of 1"},
        BadConfig{"searchSpaceFile: search_space.json",
                  "config.yml:4: searchSpaceFile: searchSpaceFile and searchSpace exclude each other"},
        BadConfig{"compression: {}", "config.yml:4: compression: compression and trialCommand exclude each other"},
        BadConfig{"trialCodeDirectory: nowhere", "config.yml:4: trialCodeDirectory: \"nowhere\": expected a folder"},
        BadConfig{"trialCodeDirectory: model.pt", "is not a folder"},
        BadConfig{"assessor: {name: Medianstop}", "config.yml:4: assessor: not supported yet: assessors"},
        BadConfig{"advisor: {name: BOHB}", "advisor: not supported yet: advisors"},
        BadConfig{"useAnnotation: true", "useAnnotation: not supported yet: annotations"},
        BadConfig{"useAnnotation: yes", "useAnnotation: expected true or false, found \"yes\""},
        BadConfig{"trialGpuNumber: -1", "trialGpuNumber: expected an integer from 0 to 1000, found -1"},
        BadConfig{"maxRetries: {lost: -1}", "maxRetries.lost: expected an integer from 0 to 1000, found -1"},
        BadConfig{"experimentType: nas", "experimentType: not supported yet: architecture search"},
        BadConfig{"trainingService: {platform: mars}",
                  "unknown platform \"mars\"; expected local, remote, slurm or pai"},
        BadConfig{"trainingService: {platform: kubeflow}", "not supported: platform \"kubeflow\""},
        BadConfig{"trainingService: local",
                  "trainingService: expected an object with keys such as platform, found \"local\""},
        BadConfig{"trainingService: {}", "trainingService.platform: required: local, remote, slurm or pai"},
        BadConfig{"trainingService: {platform: local, trialCommand: x}",
                  "trainingService.trialCommand: not supported here; expected trialCommand at the top level"},
        BadConfig{"trainingService: {platform: local, trialGpuNumber: 1}",
                  "trainingService.trialGpuNumber: not supported here; expected trialGpuNumber at the top level"}));

TEST_F(ExperimentConfigTest, NeedsASearchSpaceATaskAndATuner) {
  EXPECT_EQ(
      errors("experimentName: x"),
      "config.yml:1: searchSpace: required: searchSpace, or searchSpaceFile with the path of a file\n"
      "config.yml:1: trialCommand: required: trialCommand with a shell command, or compression for the built-in trial\n"
      "config.yml:1: tuner: required: an object with name, one of TPE, Random or Anneal");
  EXPECT_THAT(errors("[]"),
              HasSubstr("config.yml:1: expected an object with keys such as experimentName, found an empty list"));
  EXPECT_THAT(errors(""), HasSubstr("config.yml: the text is empty"));
  EXPECT_THAT(errors("a: [1"), HasSubstr("config.yml:1: not valid YAML"));
}

TEST_F(ExperimentConfigTest, ChecksTheTunerAgainstTheObjective) {
  const std::string text = R"(searchSpace: {x: {_type: uniform, _value: [0, 1]}}
tuner:
  name: TPE
  classArgs:
    optimize_mode: maximize
compression:
  model: model.pt
  inputShape: [1, 1, 28, 28]
  objective: latencyMs
  data:
    format: tensor
    train: {file: tensors.pt, range: [0, 10]}
    test: {file: tensors.pt, range: [10, 20]}
)";
  EXPECT_THAT(errors(text),
              HasSubstr("config.yml:5: tuner.classArgs.optimize_mode: \"maximize\" contradicts compression.objective"));
}

}  // namespace
}  // namespace lathe::proto
