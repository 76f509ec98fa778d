// Thousands of small damages to good configs: each must be read or refused, never crash, throw or hang.
#include <algorithm>
#include <random>
#include <string>

#include "config_fixture.hpp"

namespace lathe::proto {
namespace {

class ConfigMutationTest : public ConfigTest {
 protected:
  static constexpr std::string_view yaml = R"(experimentName: mutation
searchSpace:
  algorithm:
    _type: choice
    _value:
      - _name: l1
        conv1.sparsity: {_type: uniform, _value: [0.1, 0.9]}
        "epochs": 3
      - {_name: level, bits: {_type: randint, _value: [2, 9]}, lr: {_type: qloguniform, _value: [1e-4, 1, 0.01]}}
trialConcurrency: 2
maxTrialNumber: 10
maxExperimentDuration: 1.5h
tuner: &tuner
  name: TPE
  classArgs: {optimize_mode: maximize, tpe_args: {constant_liar_type: null, gamma: 0.25}}
trainingService: {platform: local}
compression:
  model: model.pt
  inputShape: [1, 1, 28, 28]
  data:
    format: idx
    train: {images: images.idx, labels: labels.idx, range: [0, 100]}
    test: {images: images.idx, labels: labels.idx}
    normalize: {mean: [0.1307], std: [0.3081]}
    augment: {randomCrop: 28, padding: 2, horizontalFlip: true}
  finetuning:
    epochs: 1
    optimizer: sgd
    optimizerArgs: {momentum: 0.9, nesterov: true}
    schedule: {type: multistep, milestones: [1, 2], warmupSteps: 10}
    earlyStop: {patience: 2, minDelta: 0.001}
    distillation: {temperature: 4, alpha: 0.7}
  sparsifying: {epochs: 3, learningRate: 0.1, schedule: cosine}
  device: cuda:1
  objective: {metric: accuracy, maxAccuracyDrop: 0.01}
  configList: [{op_names: [fc2], exclude: true}]
)";

  static constexpr std::string_view v1 = R"(trainingServicePlatform: local
searchSpacePath: space.json
maxExecDuration: 100h
tuner: {builtinTunerName: TPE, classArgs: {optimize_mode: maximize}}
trial: {command: "run", codeDir: ., gpuNum: 0}
localConfig: {useActiveGpu: true}
)";

  /// Cuts, doubles, swaps and puts in bytes that mean something to YAML and JSON.
  std::string mutated(std::string text) {
    static constexpr std::string_view interesting = "{}[],:\"'\\\n\t -#&*!|>%@`?~0e.\x04\x7F\xC3\xFF";
    const auto below = [&](std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random); };
    for (std::size_t edits = 1 + below(4); edits > 0 && !text.empty(); --edits) {
      const std::size_t at = below(text.size());
      const std::size_t length = std::min(text.size() - at, 1 + below(20));
      switch (below(5)) {
        case 0:
          text.erase(at, length);
          break;
        case 1:
          text.insert(at, text.substr(below(text.size()), length));
          break;
        case 2:
          text.insert(at, 1 + below(3), interesting[below(interesting.size())]);
          break;
        case 3:
          text[at] = interesting[below(interesting.size())];
          break;
        default:
          std::swap(text[at], text[below(text.size())]);
      }
    }
    return text;
  }

  /// Parses, and holds the outcome against what every outcome promises.
  bool survives(const std::string& text) {
    const auto config = parse(text);
    if (!config) {
      EXPECT_FALSE(config.error().empty()) << text;
      for (const Error& error : config.error()) EXPECT_FALSE(error.message.empty()) << text;
      return false;
    }
    const std::string canonical = to_json(*config).dump();
    const auto again = parse_experiment_config(canonical, {});
    EXPECT_EQ(errors_of(again), "") << text << "\n" << canonical;
    EXPECT_EQ(again ? to_json(*again).dump() : "", canonical) << text;
    return true;
  }

  int accepted_of(std::string_view text, int runs) {
    int accepted = 0;
    for (int i = 0; i < runs; ++i) accepted += survives(mutated(std::string(text))) ? 1 : 0;
    return accepted;
  }

  std::mt19937_64 random{20240917};
};

TEST_F(ConfigMutationTest, DamagedYamlIsReadOrRefused) {
  ASSERT_TRUE(survives(std::string(yaml))) << errors(yaml);
  const int accepted = accepted_of(yaml, 2000);
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 2000);
}

TEST_F(ConfigMutationTest, DamagedJsonIsReadOrRefused) {
  const auto config = parse(yaml);
  ASSERT_TRUE(config);
  EXPECT_LT(accepted_of(to_json(*config).dump(1), 1000), 1000);
}

TEST_F(ConfigMutationTest, DamagedV1FilesAreReadOrRefused) {
  folder.write("space.json", R"({"x": {"_type": "uniform", "_value": [0, 1]}})");
  ASSERT_TRUE(survives(std::string(v1))) << errors(v1);
  EXPECT_LT(accepted_of(v1, 1000), 1000);
}

}  // namespace
}  // namespace lathe::proto
