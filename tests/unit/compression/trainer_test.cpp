#include <lathe/compression/trainer.hpp>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/evaluate.hpp>
#include <lathe/compression/pruning.hpp>

#include "models.hpp"

namespace lathe::compression {
namespace {

using ::testing::HasSubstr;
using torch::jit::Module;

Module two_layers(const std::string& ending, std::uint64_t seed = 3) {
  test_models::Builder build(seed);
  return build.net(
      "Net", {{"fc1", build.linear(4, 16)}, {"fc2", build.linear(16, 3)}},
      "def forward(self, x):\n  x = self.fc2.forward(torch.relu(self.fc1.forward(x)))\n  return " + ending);
}

/// Three classes that a line cannot separate but a small net can: the largest of the first three coordinates.
Dataset three_classes(std::int64_t count = 300) {
  auto generator = at::detail::createCPUGenerator(5);
  const at::Tensor inputs = at::randn({count, 4}, generator);
  return Dataset::create(inputs, inputs.narrow(1, 0, 3).argmax(1), {}).value();
}

TrainingOptions options(std::int64_t epochs = 8) {
  TrainingOptions result;
  result.epochs = epochs;
  result.batch_size = 32;
  result.optimizer.learning_rate = 0.1;
  result.optimizer.momentum = 0.9;
  return result;
}

at::Tensor weight_of(const Module& model, const std::string& name) {
  for (const Layer& layer : layers_of(model)) {
    if (layer.name == name) return layer.weight.detach().clone();
  }
  return {};
}

TEST(Evaluate, CountsRightAnswersAndTheMeanLoss) {
  test_models::Builder build(0);
  const Module identity =
      build.net("Identity", {{"unused", build.linear(1, 1)}}, "def forward(self, x):\n  return x\n");
  const at::Tensor scores = at::tensor({2.F, 0.F, 0.F, 1.F, 0.F, 3.F}).view({3, 2});
  const auto data = Dataset::create(scores, at::tensor({0, 1, 0}, at::kLong), {}).value();
  const auto quality = evaluate(identity, data, 2);
  ASSERT_TRUE(quality) << quality.error().message;
  EXPECT_DOUBLE_EQ(quality->accuracy, 2.0 / 3);
  EXPECT_NEAR(quality->loss, (0.126928 + 0.313262 + 3.048587) / 3, 1e-6);
}

TEST(Evaluate, LossIsTheSameForLogitsLogSoftmaxAndSoftmax) {
  const Dataset data = three_classes();
  const auto logits = evaluate(two_layers("x"), data, 64);
  const auto log_softmax = evaluate(two_layers("torch.log_softmax(x, 1)"), data, 64);
  const auto softmax = evaluate(two_layers("torch.softmax(x, 1)"), data, 64);
  EXPECT_NEAR(logits->loss, log_softmax->loss, 1e-6);
  EXPECT_NEAR(logits->loss, softmax->loss, 1e-5);
}

TEST(Evaluate, WhatDoesNotFitIsExplained) {
  const Module model = two_layers("x");
  const auto wrong_shape = evaluate(model, Dataset::create(at::ones({2, 5}), at::zeros({2}, at::kLong), {}).value(), 2);
  ASSERT_FALSE(wrong_shape);
  EXPECT_THAT(wrong_shape.error().message, HasSubstr("[2, 5]"));
  const auto wrong_label =
      evaluate(model, Dataset::create(at::ones({2, 4}), at::full({2}, 3, at::kLong), {}).value(), 2);
  ASSERT_FALSE(wrong_label);
  EXPECT_THAT(wrong_label.error().message, HasSubstr("target 3 is out of range"));
  const auto no_scores = evaluate(two_layers("x.sum()"), three_classes(), 2);
  ASSERT_FALSE(no_scores);
  EXPECT_THAT(no_scores.error().message, HasSubstr("one score for each class"));
}

TEST(Trainer, LearnsWithEveryOptimizer) {
  const Dataset data = three_classes();
  for (const Optimizer kind : {Optimizer::Sgd, Optimizer::Adam, Optimizer::AdamW}) {
    Module model = two_layers("torch.log_softmax(x, 1)");
    TrainingOptions training = options(20);
    training.optimizer.kind = kind;
    training.optimizer.learning_rate = kind == Optimizer::Sgd ? 0.1 : 0.02;
    ASSERT_TRUE(train(model, data, training, nullptr, {}));
    EXPECT_GT(evaluate(model, data, 64)->accuracy, 0.93) << static_cast<int>(kind);
  }
}

TEST(Trainer, SameSeedSameWeights) {
  const auto trained_weight = [](std::uint64_t seed) {
    Module model = two_layers("x");
    TrainingOptions training = options(2);
    training.seed = seed;
    EXPECT_TRUE(train(model, three_classes(), training, nullptr, {}));
    return weight_of(model, "fc1");
  };
  EXPECT_TRUE(trained_weight(1).equal(trained_weight(1)));
  EXPECT_FALSE(trained_weight(1).equal(trained_weight(2)));
}

/// Momentum and weight decay must not bring back what is pruned between two epochs.
TEST(Trainer, PrunedWeightsStayZeroWhileTheScheduleGoesOn) {
  Module model = two_layers("x");
  std::vector<SelectedLayer> layers;
  for (const Layer& layer : layers_of(model)) {
    layers.push_back({layer, {}});
    layers.back().target.sparsity = 0.75;
  }
  AgpSchedule schedule;
  schedule.end_epoch = 4;
  Pruning pruning(Pruner::create(PruningMetric::Level), layers, schedule);
  TrainingOptions training = options(5);
  training.optimizer.weight_decay = 1e-3;
  TrainingHooks hooks;
  hooks.after_batch = [&](const TrainingProgress&) {
    for (const auto& [name, mask] : pruning.masks()) {
      ASSERT_EQ(at::count_nonzero(weight_of(model, name) * (1 - mask.weight)).item<std::int64_t>(), 0);
    }
  };
  const at::Tensor before = weight_of(model, "fc1");
  ASSERT_TRUE(train(model, three_classes(), training, &pruning, hooks));
  EXPECT_EQ(at::count_nonzero(weight_of(model, "fc1")).item<std::int64_t>(), 16);
  EXPECT_FALSE(before.mul(pruning.masks().at("fc1").weight).equal(weight_of(model, "fc1"))) << "the rest must train";
}

TEST(Trainer, NoEpochStillPrunes) {
  Module model = two_layers("x");
  std::vector<SelectedLayer> layers{{layers_of(model).front(), {}}};
  layers.front().target.sparsity = 0.5;
  Pruning pruning(Pruner::create(PruningMetric::L1), layers, {});
  ASSERT_TRUE(train(model, three_classes(), options(0), &pruning, {}));
  EXPECT_EQ(at::count_nonzero(weight_of(model, "fc1")).item<std::int64_t>(), 32);
}

TEST(Trainer, ProgressCountsEveryRecordOnce) {
  Module model = two_layers("x");
  std::vector<std::int64_t> done;
  std::int64_t epochs = 0;
  TrainingHooks hooks;
  hooks.after_batch = [&](const TrainingProgress& progress) { done.push_back(progress.records_done); };
  hooks.after_epoch = [&](const TrainingProgress& progress) -> Result<void> {
    EXPECT_EQ(progress.records_done, progress.records);
    ++epochs;
    return {};
  };
  ASSERT_TRUE(train(model, three_classes(97), options(2), nullptr, hooks));
  EXPECT_EQ(epochs, 2);
  EXPECT_EQ(done, (std::vector<std::int64_t>{32, 64, 97, 32, 64, 97})) << "a last batch of one joins the one before";
}

TEST(Trainer, DivergenceAndBadOptionsAreErrors) {
  Module model = two_layers("x * 1e30");
  TrainingOptions wild = options(3);
  wild.optimizer.learning_rate = 1e30;
  const auto diverged = train(model, three_classes(), wild, nullptr, {});
  ASSERT_FALSE(diverged);
  EXPECT_THAT(diverged.error().message, HasSubstr("diverged"));
  TrainingOptions contradictory = options();
  contradictory.optimizer.momentum = 0;
  contradictory.optimizer.nesterov = true;
  const auto refused = train(two_layers("x"), three_classes(), contradictory, nullptr, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("nesterov"));
}

TEST(BehavesAsInTraining, FindsDropoutThatEvalDoesNotTurnOff) {
  const at::Tensor inputs = three_classes().slice(0, 16).inputs;
  EXPECT_TRUE(behaves_as_in_training(two_layers("torch.dropout(x, 0.5, True)"), inputs).value());
  EXPECT_FALSE(behaves_as_in_training(two_layers("torch.dropout(x, 0.5, self.training)"), inputs).value());
  EXPECT_TRUE(behaves_as_in_training(two_layers("x - x.mean(0)"), inputs).value());
}

}  // namespace
}  // namespace lathe::compression
