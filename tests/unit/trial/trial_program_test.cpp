// The built program, from environment and files to metric frames and files.
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <lathe/compression/measure.hpp>
#include <lathe/compression/model.hpp>

#include "trial_fixture.hpp"

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::int64_t kParameters = (9 * 8 + 8) + (72 * 12 + 12) + (108 * 32 + 32) + (32 * 4 + 4);
constexpr std::int64_t kMacs = 72 * 100 + 72 * 12 * 9 + 108 * 32 + 32 * 4;

std::map<std::string, compression::Shape> shapes_in(const std::filesystem::path& model) {
  std::map<std::string, compression::Shape> shapes;
  const auto loaded = compression::load_model(model);
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
  if (!loaded) return shapes;
  for (const auto& layer : compression::layers_of(*loaded)) shapes[layer.name] = layer.weight.sizes().vec();
  return shapes;
}

TEST_F(TrialProgram, PrepareMeasuresTheOriginal) {
  const Outcome outcome = run("prepare");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const Json baseline = read_json("baseline.json");
  EXPECT_EQ(baseline["parameters"], kParameters);
  EXPECT_EQ(baseline["macs"], kMacs);
  EXPECT_EQ(baseline["size_bytes"], std::filesystem::file_size(config.model));
  EXPECT_GT(baseline["accuracy"], 0.9);
  EXPECT_GT(baseline["latency_ms"], 0);
  ASSERT_EQ(outcome.metrics.size(), 1U);
  EXPECT_EQ(outcome.metrics[0].type, proto::MetricType::Final);
  EXPECT_EQ(outcome.metrics[0].trial_job_id, "abcde");
  EXPECT_EQ(outcome.metrics[0].value, baseline);
}

TEST_F(TrialProgram, L1TrialShrinksTheModel) {
  config.config_list = Json::parse(R"([{"exclude": true, "op_names": ["fc2"]}])");
  const Outcome outcome = run_trial(R"({"algorithm": {"_name": "l1", "sparsity": 0.5}})");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const auto shapes = shapes_in(path("compressed.pt"));
  EXPECT_EQ(shapes.at("conv1"), (compression::Shape{4, 1, 3, 3}));
  EXPECT_EQ(shapes.at("conv2"), (compression::Shape{6, 4, 3, 3}));
  EXPECT_EQ(shapes.at("fc1"), (compression::Shape{16, 54}));
  EXPECT_EQ(shapes.at("fc2"), (compression::Shape{4, 16}));

  ASSERT_EQ(outcome.metrics.size(), 3U) << "one for each epoch, and the result";
  EXPECT_EQ(outcome.metrics[0].type, proto::MetricType::Periodical);
  EXPECT_EQ(outcome.metrics[1].sequence, 1);
  const auto& result = outcome.metrics[2];
  EXPECT_EQ(result.type, proto::MetricType::Final);
  EXPECT_EQ(result.parameter_id, 7);
  constexpr std::int64_t parameters = (9 * 4 + 4) + (36 * 6 + 6) + (54 * 16 + 16) + (16 * 4 + 4);
  EXPECT_EQ(result.value["parameters"], parameters);
  EXPECT_EQ(result.value["macs"], 36 * 100 + 36 * 6 * 9 + 54 * 16 + 16 * 4);
  EXPECT_NEAR(result.value["sparsity"], 1 - static_cast<double>(parameters) / kParameters, 1e-3);
  EXPECT_EQ(result.value["size_bytes"], std::filesystem::file_size(path("compressed.pt")));
  EXPECT_GT(result.value["accuracy"], 0.9);
  EXPECT_EQ(result.value["default"], result.value["accuracy"]);

  const Json report = read_json("report.json");
  EXPECT_EQ(report["metrics"], result.value);
  EXPECT_LE(report["max_difference"], 1e-5);
  EXPECT_EQ(report["epochs"].size(), 2U);
  ASSERT_EQ(report["layers"].size(), 4U);
  EXPECT_EQ(report["layers"][1]["name"], "conv2");
  EXPECT_EQ(report["layers"][1]["shape_before"], Json({12, 8, 3, 3}));
  EXPECT_EQ(report["layers"][1]["shape_after"], Json({6, 4, 3, 3}));
  EXPECT_EQ(report["layers"][1]["macs_after"], 36 * 6 * 9);
}

TEST_F(TrialProgram, RoundToLeavesMultiplesThatAreNotZero) {
  config.config_list = Json::parse(R"([{"exclude": true, "op_names": ["fc2"]}])");
  config.finetuning.epochs = 0;
  config.speedup.round_to = 4;
  for (const char* mode : {"normal", "group"}) {
    const Outcome outcome =
        run_trial(std::string(R"({"a": {"_name": "l1", "sparsity": 0.5, "parameter::mode": ")") + mode + "\"}}");
    ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
    const auto shapes = shapes_in(path("compressed.pt"));
    EXPECT_EQ(shapes.at("conv1"), (compression::Shape{4, 1, 3, 3})) << mode;
    EXPECT_EQ(shapes.at("conv2"), (compression::Shape{8, 4, 3, 3})) << mode << ": six of twelve would go";
    EXPECT_EQ(shapes.at("fc1"), (compression::Shape{16, 72})) << mode;
    const auto smaller = compression::load_model(path("compressed.pt"));
    ASSERT_TRUE(smaller);
    EXPECT_EQ(compression::count_nonzero_parameters(*smaller), compression::count_parameters(*smaller)) << mode;
  }
}

TEST_F(TrialProgram, CostsStandSideBySide) {
  config.finetuning.epochs = 0;
  config.objective = {proto::ObjectiveMetric::Speedup, {}};
  config.latency.batch_size = 2;
  (void)folder().write(
      "parameter.cfg",
      proto::to_text({7, "algorithm", Json::parse(R"({"a": {"_name": "l1", "conv1.sparsity": 0.5}})")}));
  const auto alone = run("run", {{"LATHE_HOST_DIRECTORY", folder().path()}});
  ASSERT_EQ(alone.exit_code, 0) << alone.error;
  const Json costs = read_json("report.json")["costs"];
  EXPECT_EQ(costs["macs"]["original"], kMacs);
  EXPECT_EQ(costs["macs"]["compressed"], alone.metrics.back().value["macs"]);
  EXPECT_GT(costs["operations"]["original"], kMacs);
  EXPECT_GT(costs["activation_bytes"]["original"], costs["activation_bytes"]["compressed"]);
  EXPECT_EQ(costs["size_bytes"]["original"], std::filesystem::file_size(config.model));
  const Json latency = costs["latency"];
  EXPECT_EQ(latency["batch_size"], 2);
  EXPECT_EQ(latency["threads"], 1);
  EXPECT_EQ(latency["alone"], true);
  EXPECT_LE(latency["speedup_low"], latency["speedup_high"]);
  EXPECT_EQ(latency["speedup"], alone.metrics.back().value["default"]);
  EXPECT_TRUE(std::filesystem::exists(path("quiet.room")));
}

TEST_F(TrialProgram, LevelTrialKeepsShapesAndCountsZeros) {
  const Outcome outcome =
      run_trial(R"({"prune_method": {"_name": "level", "conv1_sparsity": 0.5, "fc1_sparsity": 0.75}})");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(shapes_in(path("compressed.pt")).at("fc1"), (compression::Shape{32, 108}));
  const Json value = outcome.metrics.back().value;
  EXPECT_EQ(value["parameters"], kParameters);
  EXPECT_EQ(value["macs"], kMacs);
  constexpr double weights = 36 + 2592;
  EXPECT_GE(value["sparsity"], weights / kParameters - 1e-9);
  EXPECT_LE(value["sparsity"], (weights + 8 + 32) / kParameters + 1e-9) << "biases of rows that are gone go too";
  EXPECT_NEAR(read_json("report.json")["layers"][2]["sparsity"], 0.75, 1e-9);
}

TEST_F(TrialProgram, AgpOverFiltersReachesItsFinalSparsity) {
  config.finetuning.epochs = 1;
  const Outcome outcome = run_trial(
      R"({"a": {"_name": "agp", "conv2.sparsity": 0.5, "parameter::pruning_algorithm": "l1", "parameter::num_iterations": 3}})");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(shapes_in(path("compressed.pt")).at("conv2"), (compression::Shape{6, 8, 3, 3}));
  EXPECT_EQ(outcome.metrics.size(), 4U) << "the schedule needs three epochs";
}

TEST_F(TrialProgram, AQuantizedTrialLeavesAnInt8Model) {
  const Outcome outcome =
      run_trial(R"({"algorithm": {"_name": "qat", "quant_types": ["weight", "input"], "quant_bits": 8}})");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const Json value = outcome.metrics.back().value;
  EXPECT_NEAR(value["int8_accuracy"], value["accuracy"], 0.02);
  EXPECT_EQ(value["int8_size_bytes"], std::filesystem::file_size(path("int8.pt")));
  EXPECT_GT(value["int8_speedup"], 0);
  const Json report = read_json("report.json")["int8"];
  EXPECT_EQ(report["layers"].size(), 4U);
  for (const int conv : {0, 1}) EXPECT_EQ(report["layers"][conv]["precision"], "int8");
  for (const int small : {2, 3}) {
    EXPECT_EQ(report["layers"][small]["precision"], "float");
    EXPECT_THAT(report["layers"][small]["reason"], HasSubstr("less time in float"));
  }
  EXPECT_TRUE(std::filesystem::exists(path("model.pth")));
  EXPECT_TRUE(std::filesystem::exists(path("compressed.onnx")));
  EXPECT_FALSE(std::filesystem::exists(path("mask.pth")));
}

/// The original, compressed.pt and int8.pt take turns in one session, which nobody disturbs.
TEST_F(TrialProgram, Int8IsTimedWithTheOthersAndAlone) {
  config.finetuning.epochs = 1;
  config.objective = {proto::ObjectiveMetric::LatencyMs, {}};
  config.latency.batch_size = 1000;
  (void)folder().write("parameter.cfg",
                       proto::to_text({7, "algorithm", Json::parse(R"({"a": {"_name": "qat", "quant_bits": 8}})")}));
  const auto outcome = run("run", {{"LATHE_HOST_DIRECTORY", folder().path()}});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const Json report = read_json("report.json");
  const Json latency = report["costs"]["latency"];
  EXPECT_EQ(latency["alone"], true);
  EXPECT_EQ(latency["int8_ms"], outcome.metrics.back().value["int8_latency_ms"]);
  EXPECT_EQ(latency["int8_speedup"], outcome.metrics.back().value["int8_speedup"]);
  EXPECT_NEAR(latency["int8_speedup"], latency["original_ms"].get<double>() / latency["int8_ms"].get<double>(), 1e-9)
      << "against the same runs of the original";
  EXPECT_LE(latency["int8_speedup_low"], latency["int8_speedup_high"]);
  EXPECT_GE(latency["int8_iqr_ms"], 0);
  EXPECT_EQ(report["int8"]["layers"][2]["precision"], "int8") << "at such a batch fc1 is not too small";
}

TEST_F(TrialProgram, WhatCannotRunInInt8IsReported) {
  const std::string four_bits =
      R"({"algorithm": {"_name": "qat", "quant_types": ["weight", "input"], "quant_bits": 4}})";
  const Outcome outcome = run_trial(four_bits);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_FALSE(outcome.metrics.back().value.contains("int8_accuracy"));
  EXPECT_THAT(read_json("report.json")["int8"]["skipped"].get<std::string>(),
              AllOf(HasSubstr("`conv1`"), HasSubstr("has 4 bits")));
  EXPECT_FALSE(std::filesystem::exists(path("int8.pt")));
  config.exports = {false, false};
  ASSERT_EQ(run_trial(four_bits).exit_code, 0);
  EXPECT_FALSE(read_json("report.json").contains("int8"));
}

TEST_F(TrialProgram, APrunedTrialLeavesStateAndMasks) {
  ASSERT_EQ(run_trial(R"({"algorithm": {"_name": "l1", "sparsity": 0.5}})").exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(path("model.pth")));
  EXPECT_TRUE(std::filesystem::exists(path("mask.pth")));
  EXPECT_FALSE(std::filesystem::exists(path("int8.pt")));
}

TEST_F(TrialProgram, SameTrialSameResult) {
  const auto accuracy_and_loss = [this] {
    const Outcome outcome = run_trial(R"({"a": {"_name": "level", "sparsity": 0.6}})");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    const Json value = outcome.metrics.back().value;
    return std::pair(value["accuracy"].get<double>(), value["loss"].get<double>());
  };
  EXPECT_EQ(accuracy_and_loss(), accuracy_and_loss());
}

TEST_F(TrialProgram, InfeasibleTrialsRankByTheirExcess) {
  config.objective = {proto::ObjectiveMetric::Sparsity, 0.01};
  config.finetuning.epochs = 0;
  (void)folder().write("baseline.json",
                       R"({"accuracy": 1.5, "loss": 0, "parameters": 1, "macs": 1, "size_bytes": 1, "latency_ms": 1})");
  proto::ParameterRecord record;
  record.parameters = Json::parse(R"({"a": {"_name": "level", "sparsity": 0.2}})");
  (void)folder().write("parameter.cfg", proto::to_text(record));
  const Outcome outcome = run("run", {{"LATHE_BASELINE", path("baseline.json")}});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const Json value = outcome.metrics.back().value;
  EXPECT_NEAR(value["default"], -(1.5 - value["accuracy"].get<double>() - 0.01), 1e-12);
}

TEST_F(TrialProgram, InspectShowsLayersAndMacs) {
  const Outcome outcome = run("inspect '" + config.model.string() + "' --input-shape 1,1,12,12");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("conv2"), HasSubstr("12x8x3x3"), HasSubstr("7776"),
                                 HasSubstr(std::to_string(kMacs)), HasSubstr(std::to_string(kParameters))));
}

TEST_F(TrialProgram, PrepareFindsTyposInTheSearchSpace) {
  const auto space = folder().write("space.json", R"({"a": {"_type": "choice", "_value": [{"_name": "l1",
      "conv3_sparsity": {"_type": "uniform", "_value": [0.1, 0.9]}}]}})");
  const Outcome outcome = run("prepare", {{"LATHE_SEARCH_SPACE", space}});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.error, AllOf(HasSubstr("lathe-trial: error: "), HasSubstr("\"conv3\""), HasSubstr("conv2")));
  EXPECT_TRUE(outcome.metrics.empty());
}

TEST_F(TrialProgram, BadTrialsAreExplained) {
  const auto too_sparse = run_trial(R"({"a": {"_name": "level", "conv1.sparsity": 1.5}})");
  EXPECT_EQ(too_sparse.exit_code, 2);
  EXPECT_THAT(too_sparse.error, AllOf(HasSubstr("conv1"), HasSubstr("sparsity is 1.5")));
  const auto unknown = run_trial(R"({"a": {"_name": "magic", "conv1.sparsity": 0.5}})");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.error, AllOf(HasSubstr("magic"), HasSubstr("level, l1, l2")));
  EXPECT_FALSE(std::filesystem::exists(path("compressed.pt")));
}

TEST_F(TrialProgram, BadFilesAreExplained) {
  config.model = folder().write("model.pt", "this is no model");
  const Outcome no_model = run("prepare");
  EXPECT_EQ(no_model.exit_code, 2);
  EXPECT_THAT(no_model.error, HasSubstr("model.pt"));
  SetUp();
  const auto cut = folder().write("cut", std::string("\0\0\x08\x03\0\0\x01\x68\0\0\0\x0c\0\0\0\x0c half", 21));
  std::get<proto::IdxFiles>(config.data.train.source).images = cut;
  const Outcome cut_data = run("prepare");
  EXPECT_EQ(cut_data.exit_code, 2);
  EXPECT_THAT(cut_data.error,
              AllOf(HasSubstr("data.train"), HasSubstr("cut"), HasSubstr("51856 bytes"), HasSubstr("21")));
}

TEST_F(TrialProgram, SettingsThatDoNotFitAreExplained) {
  config.input_shape = {1, 1, 28, 28};
  const Outcome shape = run("prepare");
  EXPECT_EQ(shape.exit_code, 2);
  EXPECT_THAT(shape.error, AllOf(HasSubstr("inputShape"), HasSubstr("[1, 12, 12]")));
  const Outcome nowhere = run("run", {{"NNI_SYS_DIR", "/no/such/folder"}});
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_THAT(nowhere.error, HasSubstr("NNI_SYS_DIR"));
  EXPECT_EQ(run("--frobnicate").exit_code, 2);
}

}  // namespace
}  // namespace lathe::trial
