#include <string>

#include "config_fixture.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;
using ::testing::HasSubstr;

/// A config whose `compression` block is the JSON that a test makes of a good one.
class CompressionConfigTest : public ConfigTest {
 protected:
  [[nodiscard]] static ordered_json good() {
    return ordered_json::parse(R"({
      "model": "model.pt",
      "inputShape": [1, 1, 28, 28],
      "data": {"format": "idx", "train": {"images": "images.idx", "labels": "labels.idx"},
               "test": {"images": "images.idx", "labels": "labels.idx"}}
    })");
  }

  [[nodiscard]] Checked<ExperimentConfig> parse_block(const ordered_json& compression) const {
    const ordered_json config{{"searchSpace", {{"x", {{"_type", "uniform"}, {"_value", {0, 1}}}}}},
                              {"tuner", {{"name", "TPE"}}},
                              {"compression", compression}};
    return parse(config.dump(2));
  }

  /// The good block after a JSON merge patch (RFC 7386: null removes).
  [[nodiscard]] static ordered_json patched(std::string_view patch) {
    ordered_json block = good();
    block.merge_patch(ordered_json::parse(patch));
    return block;
  }

  [[nodiscard]] CompressionConfig block(const ordered_json& json) const {
    const auto config = parse_block(json);
    EXPECT_EQ(errors_of(config), "");
    return config ? config->compression.value() : CompressionConfig{};
  }
};

TEST_F(CompressionConfigTest, HasDefaults) {
  const auto config = parse_block(good());
  ASSERT_TRUE(config) << to_string(config.error());
  const CompressionConfig& block = *config->compression;
  EXPECT_EQ(block.model, folder.path() / "model.pt");
  EXPECT_EQ(block.input_shape, (std::vector<std::int64_t>{1, 1, 28, 28}));
  EXPECT_EQ(std::get<IdxFiles>(block.data.test.source).labels, folder.path() / "labels.idx");
  EXPECT_EQ(block.evaluation.batch_size, 256);
  EXPECT_EQ(block.finetuning.epochs, 1);
  EXPECT_EQ(block.objective.metric, ObjectiveMetric::Accuracy);
  EXPECT_FALSE(block.objective.max_accuracy_drop);
  EXPECT_EQ(block.latency.runs, 50);
  EXPECT_EQ(block.speedup.round_to, 1);
  EXPECT_EQ(block.threads, 1);
  EXPECT_TRUE(block.warm);
  EXPECT_TRUE(block.exports.int8 && block.exports.onnx && block.exports.state_dict);
  EXPECT_EQ(config->tuner.optimize_mode, OptimizeMode::Maximize);
  EXPECT_EQ(config->trial_code_directory, folder.path());
}

TEST_F(CompressionConfigTest, ReadsEverything) {
  const CompressionConfig config = block(patched(R"({
    "input_shape": [8, 3, 32, 32], "inputShape": null,
    "data": {"format": "CIFAR10", "train": {"files": ["batch1.bin", "batch2.bin"], "range": [0, 40000], "images": null, "labels": null},
             "test": {"file": "batch2.bin", "range": [40000, null], "images": null, "labels": null},
             "normalize": {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.2, 0.3]}},
    "evaluation": {"metric": "accuracy", "batch_size": 100},
    "finetuning": {"epochs": 0, "optimizer": "AdamW", "optimizerArgs": {"betas": [0.8, 0.99], "weightDecay": 1e-4, "eps": 1e-7},
                   "learningRate": 1e-3, "batchSize": 32},
    "objective": {"metric": "latency_ms", "maxAccuracyDrop": 0.01},
    "latency": {"runs": 10, "warmup": 0, "batchSize": 4},
    "speedup": {"round_to": 8},
    "export": {"int8": false},
    "configList": [{"op_names": ["fc"], "exclude": true}],
    "threads": 2, "seed": 99, "warm": false})"));
  EXPECT_FALSE(config.exports.int8);
  EXPECT_EQ(config.speedup.round_to, 8);
  EXPECT_TRUE(config.exports.state_dict);
  const auto& train = std::get<CifarFiles>(config.data.train.source);
  ASSERT_EQ(train.batches.size(), 2U);
  EXPECT_EQ(train.batches[1], folder.path() / "batch2.bin");
  EXPECT_EQ(config.data.format, DataFormat::Cifar10);
  EXPECT_EQ(config.data.train.range.end, 40000);
  EXPECT_EQ(config.data.test.range.begin, 40000);
  EXPECT_FALSE(config.data.test.range.end);
  EXPECT_EQ(config.data.mean.at(2), 0.6);
  EXPECT_EQ(config.finetuning.optimizer, OptimizerKind::AdamW);
  EXPECT_EQ(config.finetuning.optimizer_args,
            (std::map<std::string, double>{{"beta1", 0.8}, {"beta2", 0.99}, {"eps", 1e-7}, {"weight_decay", 1e-4}}));
  EXPECT_EQ(config.objective.metric, ObjectiveMetric::LatencyMs);
  EXPECT_EQ(config.objective.max_accuracy_drop, 0.01);
  EXPECT_EQ(config.config_list.dump(), R"([{"op_names":["fc"],"exclude":true}])");
  EXPECT_EQ(config.seed, 99U);
  EXPECT_FALSE(config.warm);
}

TEST_F(CompressionConfigTest, ReadsBareObjectiveAndTensors) {
  const CompressionConfig config = block(patched(R"({"objective": "sizeBytes",
      "data": {"format": "tensor", "train": {"file": "tensors.pt", "images": null, "labels": null},
               "test": {"file": "tensors.pt", "images": null, "labels": null}}})"));
  EXPECT_EQ(config.objective.metric, ObjectiveMetric::SizeBytes);
  EXPECT_EQ(std::get<TensorFile>(config.data.train.source).file, folder.path() / "tensors.pt");
}

TEST_F(CompressionConfigTest, ReadsNesterovAsFlagOrNumber) {
  for (const char* flag : {"true", "1", "1.0"}) {
    const auto args = block(
        patched(std::string(R"({"finetuning": {"optimizerArgs": {"momentum": 0.9, "nesterov": )") + flag + "}}}"));
    EXPECT_EQ(args.finetuning.optimizer_args.at("nesterov"), 1) << flag;
  }
}

TEST_F(CompressionConfigTest, MinimisesLossWhenThatIsWhatIsEvaluated) {
  const auto config = parse_block(patched(R"({"evaluation": {"metric": "loss"}})"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->compression->objective.metric, ObjectiveMetric::Loss);
  EXPECT_EQ(config->tuner.optimize_mode, OptimizeMode::Minimize);
}

TEST_F(CompressionConfigTest, CanonicalFormReadsBackWithoutTheFiles) {
  const CompressionConfig config = block(patched(R"({"objective": {"metric": "macs", "maxAccuracyDrop": 0.02},
      "finetuning": {"optimizerArgs": {"momentum": 0.9}}, "data": {"normalize": {"mean": [0.1307], "std": [0.3081]}}})"));
  const ordered_json json = to_json(config);
  std::filesystem::remove(folder.path() / "model.pt");
  const auto again = parse_compression_config(json);
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(to_json(*again).dump(), json.dump());
  EXPECT_EQ(json["finetuning"].dump(),
            R"({"epochs":1,"optimizer":"sgd","optimizerArgs":{"momentum":0.9},"learningRate":0.01,"batchSize":64,)"
            R"("schedule":{"type":"constant","warmupEpochs":0,"warmupSteps":0},"loss":"crossEntropy",)"
            R"("labelSmoothing":0.0,"restoreBest":false,"freezeBatchNorm":false})");
}

TEST_F(CompressionConfigTest, ReadsEverythingAboutTraining) {
  const CompressionConfig config = block(patched(R"({
    "finetuning": {"epochs": 9, "loss": "cross_entropy", "labelSmoothing": 0.1,
                   "distillation": {"temperature": 2, "alpha": 0.9}, "clipNorm": 5, "clipValue": 0.5,
                   "schedule": {"type": "multistep", "milestones": [3, 6], "gamma": 0.5, "warmupEpochs": 1},
                   "earlyStop": {"patience": 3, "minDelta": 0.001}, "restoreBest": true, "freezeBatchNorm": true},
    "calibration": {"batches": 4, "batchSize": 16}, "device": "CUDA:01"})"));
  const FinetuningConfig& training = config.finetuning;
  EXPECT_EQ(training.loss, LossKind::CrossEntropy);
  EXPECT_EQ(training.label_smoothing, 0.1);
  EXPECT_EQ(training.distillation->temperature, 2);
  EXPECT_EQ(training.distillation->alpha, 0.9);
  EXPECT_EQ(training.clip_norm, 5);
  EXPECT_EQ(training.clip_value, 0.5);
  EXPECT_EQ(training.schedule.milestones, (std::vector<std::int64_t>{3, 6}));
  EXPECT_EQ(training.schedule.gamma, 0.5);
  EXPECT_EQ(training.schedule.warmup_epochs, 1);
  EXPECT_EQ(training.early_stop->patience, 3);
  EXPECT_EQ(training.early_stop->min_delta, 0.001);
  EXPECT_TRUE(training.restore_best && training.freeze_batch_norm);
  EXPECT_EQ(config.calibration.batches, 4);
  EXPECT_EQ(config.calibration.batch_size, 16);
  EXPECT_EQ(config.device, "cuda:1");
  const auto again = parse_compression_config(to_json(config));
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(to_json(*again).dump(), to_json(config).dump());
}

TEST_F(CompressionConfigTest, SchedulesReadBackInTheirCanonicalForm) {
  for (const char* schedule :
       {R"("cosine")", R"("step")", R"({"type": "constant", "warmupSteps": 100})",
        R"({"type": "Cosine", "minLearningRate": 1e-4})", R"({"type": "step", "stepSize": 10, "gamma": 0.2})"}) {
    const CompressionConfig config = block(patched(std::string(R"({"finetuning": {"schedule": )") + schedule + "}}"));
    const auto again = parse_compression_config(to_json(config));
    ASSERT_TRUE(again) << schedule << to_string(again.error());
    EXPECT_EQ(to_json(*again).dump(), to_json(config).dump()) << schedule;
  }
  EXPECT_EQ(block(patched(R"({"finetuning": {"schedule": "cosine"}})")).finetuning.schedule.kind,
            LearningRateKind::Cosine);
}

TEST_F(CompressionConfigTest, SparsifyingTakesFromFinetuningWhatItDoesNotSay) {
  const auto with = [this](const std::string& sparsifying) {
    return block(patched(R"({"finetuning": {"epochs": 7, "optimizerArgs": {"momentum": 0.9}, "learningRate": 0.2,
        "batchSize": 32, "clipNorm": 1, "schedule": "cosine"}, "sparsifying": )" +
                         sparsifying + "}"));
  };
  const SparsifyingConfig absent = sparsifying_of(with("null"));
  EXPECT_FALSE(absent.epochs);
  EXPECT_EQ(absent.learning_rate, 0.2);
  EXPECT_EQ(absent.batch_size, 32);
  EXPECT_EQ(absent.optimizer_args.at("momentum"), 0.9);
  EXPECT_EQ(absent.clip_norm, 1);
  EXPECT_EQ(absent.schedule.kind, LearningRateKind::Constant);
  const CompressionConfig config = with(R"({"epochs": 3, "optimizer": "adam", "learningRate": 0.001})");
  const SparsifyingConfig given = sparsifying_of(config);
  EXPECT_EQ(given.epochs, 3);
  EXPECT_EQ(given.optimizer, OptimizerKind::Adam);
  EXPECT_TRUE(given.optimizer_args.empty()) << "Adam has no momentum";
  EXPECT_EQ(given.learning_rate, 0.001);
  EXPECT_EQ(given.batch_size, 32);
  const auto again = parse_compression_config(to_json(config));
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(to_json(*again).dump(), to_json(config).dump());
}

TEST_F(CompressionConfigTest, ReadsImagesAndNumPyFiles) {
  const CompressionConfig images = block(patched(R"({"data": {"format": "images", "resize": 256, "crop": 224,
      "augment": {"randomCrop": [224, 224], "horizontalFlip": true},
      "train": {"folder": "pictures", "range": [0, 100], "images": null, "labels": null},
      "test": {"folder": "pictures/", "images": null, "labels": null}}})"));
  EXPECT_EQ(std::get<ImageFolder>(images.data.test.source).folder, folder.path() / "pictures");
  EXPECT_EQ(images.data.resize, (std::vector<std::int64_t>{256}));
  EXPECT_EQ(images.data.crop->width, 224);
  EXPECT_EQ(images.data.augment.random_crop->height, 224);
  EXPECT_TRUE(images.data.augment.horizontal_flip);
  const CompressionConfig arrays = block(patched(R"({"data": {"format": "npy",
      "augment": {"randomCrop": 32, "padding": 4},
      "train": {"inputs": "inputs.npy", "targets": "targets.npy", "images": null, "labels": null},
      "test": {"inputs": "inputs.npy", "targets": "targets.npy", "images": null, "labels": null}}})"));
  EXPECT_EQ(std::get<NpyFiles>(arrays.data.train.source).targets, folder.path() / "targets.npy");
  EXPECT_EQ(arrays.data.augment.padding, 4);
  for (const CompressionConfig& config : {images, arrays}) {
    const auto again = parse_compression_config(to_json(config));
    ASSERT_TRUE(again) << to_string(again.error());
    EXPECT_EQ(to_json(*again).dump(), to_json(config).dump());
  }
}

TEST_F(CompressionConfigTest, RegressionIsJudgedByItsLoss) {
  const CompressionConfig config = block(patched(R"({"finetuning": {"loss": "mse"}})"));
  EXPECT_EQ(config.evaluation.metric, EvaluationMetric::Loss);
  EXPECT_EQ(config.objective.metric, ObjectiveMetric::Loss);
}

TEST_F(CompressionConfigTest, ParserOfTheCanonicalFormRefusesOthers) {
  EXPECT_THAT(errors_of(parse_compression_config(good())),
              HasSubstr("compression.model: expected an absolute path, found \"model.pt\""));
  EXPECT_THAT(errors_of(parse_compression_config(3)), HasSubstr("compression: expected an object"));
}

TEST_F(CompressionConfigTest, KnowsWhichMetricsAreMaximised) {
  EXPECT_TRUE(is_maximized(ObjectiveMetric::Accuracy) && is_maximized(ObjectiveMetric::Sparsity) &&
              is_maximized(ObjectiveMetric::Speedup));
  for (const auto metric : {ObjectiveMetric::Loss, ObjectiveMetric::Parameters, ObjectiveMetric::Macs,
                            ObjectiveMetric::SizeBytes, ObjectiveMetric::EffectiveBytes, ObjectiveMetric::LatencyMs}) {
    EXPECT_FALSE(is_maximized(metric)) << to_string(metric);
  }
}

struct BadBlock {
  const char* patch;
  const char* message;
};

class WrongCompressionConfig : public CompressionConfigTest, public ::testing::WithParamInterface<BadBlock> {};

TEST_P(WrongCompressionConfig, IsRefused) {
  EXPECT_THAT(errors_of(parse_block(patched(GetParam().patch))), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Proto, WrongCompressionConfig,
    ::testing::Values(
        BadBlock{R"({"model": null})", "compression.model: required: a TorchScript file"},
        BadBlock{R"({"model": "other.pt"})",
                 "compression.model: \"other.pt\": expected a file that can be read; it does not exist"},
        BadBlock{R"({"modell": "x"})",
                 "compression.modell: unknown key, with the value \"x\"; did you mean \"model\"?"},
        BadBlock{R"({"inputShape": null})", "compression.inputShape: required"},
        BadBlock{R"({"inputShape": 28})", "compression.inputShape: expected a list of 1 to 8 sizes"},
        BadBlock{R"({"inputShape": []})", "found an empty list"},
        BadBlock{R"({"inputShape": [1, 1, 1, 1, 1, 1, 1, 1, 1]})", "found a list of 9"},
        BadBlock{R"({"inputShape": [1, 0]})",
                 "compression.inputShape[1]: expected an integer from 1 to 1000000, found 0"},
        BadBlock{R"({"inputShape": [100000, 100000]})", "at most 1000000000 elements in all, found 10000000000"},
        BadBlock{R"({"data": null})", "compression.data: required"},
        BadBlock{R"({"data": 1})", "compression.data: expected an object"},
        BadBlock{R"({"data": {"format": null}})",
                 "compression.data.format: required: one of idx, cifar10, cifar100, tensor, npy or images"},
        BadBlock{
            R"({"data": {"format": "png"}})",
            "compression.data.format: expected one of idx, cifar10, cifar100, tensor, npy or images, found \"png\""},
        BadBlock{R"({"data": {"test": null}})", "compression.data.test: required: the files to evaluate on"},
        BadBlock{R"({"data": {"train": {"labels": null}}})",
                 "compression.data.train.labels: required: the IDX file of the labels"},
        BadBlock{R"({"data": {"train": {"file": "tensors.pt"}}})", "compression.data.train.file: unknown key"},
        BadBlock{R"({"data": {"train": {"range": [5, 5]}}})",
                 "compression.data.train.range: expected begin < end, found begin 5 and end 5"},
        BadBlock{R"({"data": {"train": {"range": [-1, 5]}}})",
                 "compression.data.train.range[0]: expected an integer >= 0, found -1"},
        BadBlock{R"({"data": {"train": {"range": [1]}}})", "expected [begin, end] with end excluded"},
        BadBlock{R"({"data": {"train": {"range": "1-5"}}})", "found \"1-5\""},
        BadBlock{R"({"data": {"format": "cifar10"}})", "compression.data.train.files: required"},
        BadBlock{R"({"data": {"format": "cifar10", "train": {"files": [], "images": null, "labels": null}}})",
                 "a list of at least one file, found an empty list"},
        BadBlock{
            R"({"data": {"format": "cifar10", "train": {"files": ["batch1.bin", "none.bin"], "images": null, "labels": null}}})",
            "compression.data.train.files[1]: \"none.bin\""},
        BadBlock{
            R"({"data": {"format": "cifar10", "train": {"file": "batch1.bin", "files": ["batch1.bin"], "images": null, "labels": null}}})",
            "compression.data.train.file: excludes files"},
        BadBlock{R"({"data": {"normalize": {"mean": [0.1]}}})", "compression.data.normalize.std: required"},
        BadBlock{R"({"data": {"normalize": {"mean": [0.1], "std": [0]}}})",
                 "compression.data.normalize.std[0]: expected a finite number > 0, found 0"},
        BadBlock{R"({"data": {"normalize": {"mean": [0.1, 0.2], "std": [1]}}})",
                 "mean and std need the same length, found 2 and 1"},
        BadBlock{R"({"data": {"normalize": {"mean": 0.1, "std": [1]}}})",
                 "normalize.mean: expected a list of one number per channel, found 0.1"},
        BadBlock{R"({"data": {"format": "cifar100", "normalize": {"mean": [0.1], "std": [1]}}})",
                 "expected 3 numbers, found 1"},
        BadBlock{R"({"evaluation": {"metric": "f1"}})",
                 "compression.evaluation.metric: expected one of accuracy or loss, found \"f1\""},
        BadBlock{R"({"evaluation": {"batchSize": 0}})",
                 "compression.evaluation.batchSize: expected an integer from 1 to 1000000, found 0"},
        BadBlock{R"({"finetuning": {"epochs": -1}})",
                 "compression.finetuning.epochs: expected an integer from 0 to 100000, found -1"},
        BadBlock{R"({"finetuning": {"epochs": "three"}})", "found \"three\""},
        BadBlock{R"({"finetuning": {"learningRate": 0}})",
                 "compression.finetuning.learningRate: expected a finite number > 0, found 0"},
        BadBlock{R"({"finetuning": {"optimizer": "lamb"}})", "expected one of sgd, adam or adamw, found \"lamb\""},
        BadBlock{R"({"finetuning": {"optimizerArgs": {"beta1": 0.9}}})",
                 "compression.finetuning.optimizerArgs.beta1: unknown key"},
        BadBlock{R"({"finetuning": {"optimizerArgs": {"momentum": 1}}})",
                 "momentum: expected a finite number >= 0 and < 1, found 1"},
        BadBlock{R"({"finetuning": {"optimizerArgs": {"momentun": 0.9}}})", "did you mean \"momentum\"?"},
        BadBlock{R"({"finetuning": {"optimizerArgs": {"nesterov": true}}})",
                 "nesterov needs momentum > 0 and dampening 0"},
        BadBlock{R"({"finetuning": {"optimizerArgs": {"nesterov": 2, "momentum": 0.9}}})",
                 "nesterov: expected true or false, found 2"},
        BadBlock{R"({"finetuning": {"optimizer": "adam", "optimizerArgs": {"betas": [0.9]}}})",
                 "a list of two numbers [beta1, beta2]"},
        BadBlock{R"({"finetuning": {"optimizer": "adam", "optimizerArgs": {"betas": [0.9, 0.9], "beta1": 0.9}}})",
                 "beta1 is given twice"},
        BadBlock{R"({"data": {"resize": 256}})", "compression.data.resize: only the format images can be resized"},
        BadBlock{R"({"data": {"crop": 0}})", "compression.data.crop: expected an integer from 1 to 65536, found 0"},
        BadBlock{R"({"data": {"crop": [1, 2, 3]}})", "a list of two, [height, width], found a list of 3"},
        BadBlock{R"({"data": {"crop": 28, "augment": {"randomCrop": 32}}})",
                 "expected the size of augment.randomCrop, 32 x 32, found 28 x 28"},
        BadBlock{R"({"data": {"augment": {"padding": 4}}})",
                 "compression.data.augment.padding: padding needs randomCrop"},
        BadBlock{R"({"data": {"augment": {"verticalFlip": true}}})", "augment.verticalFlip: unknown key"},
        BadBlock{R"({"data": {"format": "images", "train": {"folder": "nowhere", "images": null, "labels": null}}})",
                 "compression.data.train.folder: \"nowhere\""},
        BadBlock{R"({"data": {"format": "images", "train": {"folder": "model.pt", "images": null, "labels": null}}})",
                 "compression.data.train.folder: \"model.pt\""},
        BadBlock{R"({"data": {"format": "npy", "train": {"inputs": "inputs.npy", "images": null, "labels": null}}})",
                 "compression.data.train.targets: required: the .npy file of the targets"},
        BadBlock{R"({"finetuning": {"schedule": "cosinus"}})", "expected one of constant, step, multistep or cosine"},
        BadBlock{R"({"finetuning": {"schedule": "multistep"}})", "schedule: multistep needs milestones"},
        BadBlock{R"({"finetuning": {"schedule": {"gamma": 0.1}}})", "schedule.type: required"},
        BadBlock{R"({"finetuning": {"schedule": {"type": "cosine", "gamma": 0.1}}})",
                 "schedule.gamma: a schedule of type cosine has no gamma"},
        BadBlock{R"({"finetuning": {"schedule": {"type": "multistep", "milestones": [4, 4]}}})",
                 "milestones[1]: expected an epoch above 4, found 4"},
        BadBlock{R"({"finetuning": {"schedule": {"type": "step", "warmupEpochs": 1, "warmupSteps": 1}}})",
                 "schedule.warmupSteps: warmupEpochs is given too"},
        BadBlock{R"({"finetuning": {"schedule": {"type": "cosine", "minLearningRate": 1}}})",
                 "minLearningRate 1 is above the learning rate, 0.01"},
        BadBlock{R"({"finetuning": {"clipNorm": 0}})", "clipNorm: expected a finite number > 0, found 0"},
        BadBlock{R"({"finetuning": {"labelSmoothing": 1}})", "expected a finite number >= 0 and < 1, found 1"},
        BadBlock{R"({"finetuning": {"labelSmoothing": 0.1, "loss": "mse"}})",
                 "labelSmoothing: needs the loss crossEntropy or nll, found mse"},
        BadBlock{R"({"finetuning": {"distillation": {}, "loss": "bceWithLogits"}})",
                 "distillation: needs the loss crossEntropy or nll, found bceWithLogits"},
        BadBlock{R"({"finetuning": {"distillation": {"temperature": 0}}})",
                 "temperature: expected a finite number > 0"},
        BadBlock{R"({"finetuning": {"earlyStop": {"minDelta": 0.1}}})", "earlyStop.patience: required"},
        BadBlock{R"({"finetuning": {"restoreBest": 1}})", "restoreBest: expected true or false, found 1"},
        BadBlock{R"({"finetuning": {"loss": "mse"}, "evaluation": {"metric": "accuracy"}})",
                 "compression.evaluation.metric: the loss mse has no accuracy"},
        BadBlock{R"({"sparsifying": {"optimizer": "adam", "optimizerArgs": {"momentum": 0.9}}})",
                 "compression.sparsifying.optimizerArgs.momentum: unknown key"},
        BadBlock{R"({"sparsifying": {"loss": "mse"}})", "compression.sparsifying.loss: unknown key"},
        BadBlock{R"({"calibration": {"batches": 0}})", "compression.calibration.batches: expected an integer from 1"},
        BadBlock{R"({"device": "gpu"})", "compression.device: expected cpu, cuda, auto or cuda:N"},
        BadBlock{R"({"device": "cuda:256"})", "found \"cuda:256\""},
        BadBlock{R"({"device": 0})",
                 "compression.device: expected cpu, cuda, auto or cuda:N with N from 0 to 255, found 0"},
        BadBlock{R"({"objective": "accurracy"})", "compression.objective: expected one of accuracy, loss, sparsity"},
        BadBlock{R"({"objective": {"metric": "macs", "maxAccuracyDrop": 5}})",
                 "compression.objective.maxAccuracyDrop: expected a finite number >= 0 and <= 1, found 5"},
        BadBlock{R"({"objective": "accuracy", "evaluation": {"metric": "loss"}})",
                 "compression.objective: the metric accuracy needs evaluation.metric accuracy"},
        BadBlock{R"({"objective": {"metric": "macs", "maxAccuracyDrop": 0.1}, "evaluation": {"metric": "loss"}})",
                 "maxAccuracyDrop needs evaluation.metric accuracy"},
        BadBlock{R"({"export": {"int8": "often"}})", "compression.export.int8: expected"},
        BadBlock{R"({"latency": {"runs": 0}})", "compression.latency.runs: expected an integer from 1"},
        BadBlock{R"({"speedup": {"roundTo": 0}})", "compression.speedup.roundTo: expected an integer from 1"},
        BadBlock{R"({"speedup": {"roundTo": "8x"}})", "compression.speedup.roundTo"},
        BadBlock{R"({"speedup": {"roundTwo": 8}})", "roundTwo"},
        BadBlock{R"({"configList": {"sparsity": 0.5}})",
                 "compression.configList: expected a list of objects, found an object"},
        BadBlock{R"({"configList": [1]})", "compression.configList[0]: expected an object such as"},
        BadBlock{R"({"threads": 0})", "compression.threads: expected an integer from 1 to 1024"},
        BadBlock{R"({"seed": -3})", "compression.seed: expected an integer from 0"},
        BadBlock{R"({"warm": "sometimes"})", "compression.warm: expected"}));

}  // namespace
}  // namespace lathe::proto
