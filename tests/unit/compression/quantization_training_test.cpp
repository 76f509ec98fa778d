// Quantizers in training: that they learn, are deterministic, and go back to the best epoch with all that they have.
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <lathe/compression/evaluate.hpp>
#include <lathe/compression/quantization.hpp>
#include <lathe/compression/trainer.hpp>

#include "quantizing.hpp"

namespace lathe::compression {
namespace {

using test_models::quantize;
using test_models::Quantized;
using test_models::quantized;
using test_models::small_net;
using test_models::three_classes;
using test_models::values_of;
using torch::jit::Module;

TrainingOptions five_epochs() {
  TrainingOptions options;
  options.epochs = 5;
  options.batch_size = 32;
  options.optimizer.learning_rate = 0.05;
  options.optimizer.momentum = 0.9;
  return options;
}

struct TrainingCase {
  std::string name;
  QuantizerKind kind;
  QuantTarget target;
};

class QuantizerTraining : public ::testing::TestWithParam<TrainingCase> {};

TEST_P(QuantizerTraining, LowersTheLossThroughTheQuantizedView) {
  const Module model = small_net();
  auto net = quantize(GetParam().kind, model,
                      {quantized(model, "fc1", GetParam().target), quantized(model, "fc2", GetParam().target)});
  const Network network(net.tapped);
  const Dataset data = three_classes();
  const auto before = evaluate(network, data, 64);
  ASSERT_TRUE(before) << "eval before training is defined: " << before.error().message;
  EXPECT_TRUE(std::isfinite(before->loss));
  const auto trained = train(network, data, five_epochs(), net.quantization.get(), {});
  ASSERT_TRUE(trained) << trained.error().message;
  const auto after = evaluate(network, data, 64);
  ASSERT_TRUE(after);
  EXPECT_LT(after->loss, before->loss);
  EXPECT_GT(after->accuracy, 0.6);
}

const QuantSpec kBits4{.bits = 4};
const QuantSpec kInt4PerChannel{4, QuantDtype::Int, QuantScheme::PerChannelSymmetric};

INSTANTIATE_TEST_SUITE_P(
    All, QuantizerTraining,
    ::testing::Values(TrainingCase{"Naive", QuantizerKind::Naive, {.weight = QuantSpec{}}},
                      TrainingCase{"Qat4", QuantizerKind::Qat, {.weight = kBits4, .input = kBits4, .output = kBits4}},
                      TrainingCase{"QatPerChannel",
                                   QuantizerKind::Qat,
                                   {.weight = kInt4PerChannel, .input = kInt4PerChannel, .output = kInt4PerChannel}},
                      TrainingCase{"QatDelayed", QuantizerKind::Qat, {.weight = kBits4, .start_step = 10}},
                      TrainingCase{"DoReFa", QuantizerKind::DoReFa, {.weight = QuantSpec{.bits = 2}}},
                      TrainingCase{"Bnn", QuantizerKind::Bnn, {.weight = QuantSpec{.bits = 1}}},
                      TrainingCase{"Lsq", QuantizerKind::Lsq, {.weight = kBits4, .input = kBits4}},
                      TrainingCase{"Observer", QuantizerKind::Observer, {.weight = QuantSpec{}}}),
    [](const auto& tested) { return tested.param.name; });

TEST(Quantization, LsqTrainsItsScales) {
  const Module model = small_net();
  auto net = quantize(QuantizerKind::Lsq, model, {quantized(model, "fc1", {.weight = kBits4, .input = kBits4})});
  const auto scales = net.quantization->extra_parameters();
  ASSERT_EQ(scales.size(), 2u);
  const float before = scales[0].item<float>();
  ASSERT_TRUE(train(Network(net.tapped), three_classes(), five_epochs(), net.quantization.get(), {}));
  EXPECT_NE(scales[0].item<float>(), before);
  EXPECT_NE(scales[1].item<float>(), 1) << "it began with the first batch";
  EXPECT_GT(scales[0].item<float>(), 0);
}

TEST(Quantization, TheSameTrainingGivesTheSameWeights) {
  const auto run = [] {
    const Module model = small_net();
    auto net = quantize(QuantizerKind::Lsq, model, {quantized(model, "fc1", {.weight = kBits4, .input = kBits4})});
    EXPECT_TRUE(train(Network(net.tapped), three_classes(), five_epochs(), net.quantization.get(), {}));
    return values_of(model.attr("fc1").toModule().attr("weight").toTensor());
  };
  EXPECT_EQ(run(), run());
}

/// Trains small_net with what is told of each epoch, and goes back to the best.
struct BestEpochRun {
  explicit BestEpochRun(QuantizerKind kind, std::int64_t start_step = 0)
      : model(small_net()),
        net(quantize(kind, model,
                     {quantized(model, "fc1", {.weight = kBits4, .input = kBits4, .start_step = start_step})})) {}

  void train_for(std::vector<double> values) {
    TrainingOptions options = five_epochs();
    options.epochs = static_cast<std::int64_t>(values.size());
    options.restore_best = true;
    TrainingHooks hooks;
    hooks.judge = [&](const TrainingProgress& progress) -> Result<double> {
      configs.push_back(net.quantization->calibration_config());
      return values.at(static_cast<std::size_t>(progress.epoch));
    };
    hooks.after_training = [this](const TrainingSummary& told) { best = told.best_epoch; };
    ASSERT_TRUE(train(Network(net.tapped), three_classes(), options, net.quantization.get(), hooks));
  }

  Module model;
  Quantized net;
  std::vector<nlohmann::ordered_json> configs;  ///< after each epoch
  std::optional<std::int64_t> best;
};

TEST(Quantization, TheBestEpochComesBackWithItsRangesAndScales) {
  for (const QuantizerKind kind : {QuantizerKind::Qat, QuantizerKind::Lsq}) {
    BestEpochRun run(kind);
    run.train_for({0.5, 0.9, 0.6, 0.7});
    EXPECT_EQ(run.best, 1);
    EXPECT_EQ(run.net.quantization->calibration_config(), run.configs[1]);
    EXPECT_NE(run.net.quantization->calibration_config(), run.configs[3]) << "training goes on changing them";
  }
}

TEST(Quantization, EpochsBeforeTheStartStepAreNoCandidates) {
  BestEpochRun run(QuantizerKind::Qat, 12);  // of 8 steps an epoch
  run.train_for({0.9, 0.6, 0.7, 0.5});
  EXPECT_EQ(run.best, 2);
}

}  // namespace
}  // namespace lathe::compression
