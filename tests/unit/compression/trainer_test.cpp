#include <lathe/compression/trainer.hpp>

#include <optional>

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
  EXPECT_DOUBLE_EQ(quality->accuracy.value(), 2.0 / 3);
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

Module trained(TrainingOptions training, const TrainingHooks& hooks = {}, Compressor* compressor = nullptr) {
  Module model = two_layers("x");
  const auto done = train(model, three_classes(), training, compressor, hooks);
  EXPECT_TRUE(done) << done.error().message;
  return model;
}

TEST(Trainer, BatchesPreparedAheadChangeNothing) {
  TrainingOptions training = options(3);
  training.prefetch = 0;
  const at::Tensor alone = weight_of(trained(training), "fc1");
  training.prefetch = 3;
  EXPECT_TRUE(alone.equal(weight_of(trained(training), "fc1")));
}

TEST(Trainer, RatesFollowTheSchedule) {
  TrainingOptions training = options(3);
  training.schedule.kind = LearningRateKind::Step;
  training.schedule.warmup_steps = 2;
  std::vector<double> rates;
  TrainingHooks hooks;
  hooks.after_batch = [&](const TrainingProgress& progress) { rates.push_back(progress.learning_rate); };
  training.batch_size = 100;
  (void)trained(training, hooks);
  ASSERT_EQ(rates.size(), 9U);
  EXPECT_NEAR(rates[0], 0.05, 1e-12);
  EXPECT_NEAR(rates[1], 0.1, 1e-12);
  EXPECT_NEAR(rates[3], 0.01, 1e-12);
  EXPECT_NEAR(rates[6], 0.001, 1e-12);
}

TEST(Trainer, ClippingLimitsTheStep) {
  const at::Tensor before = weight_of(two_layers("x"), "fc1");
  TrainingOptions training = options(1);
  training.batch_size = 300;
  training.optimizer.momentum = 0;
  training.optimizer.learning_rate = 1;
  training.clip_value = 1e-4;
  EXPECT_LE((weight_of(trained(training), "fc1") - before).abs().max().item<double>(), 1.01e-4);
  training.clip_value = {};
  training.clip_norm = 1e-3;
  const double moved = (weight_of(trained(training), "fc1") - before).norm().item<double>();
  EXPECT_LE(moved, 1.01e-3);
  EXPECT_GT(moved, 1e-5);
}

/// With alpha 1 the teacher's answers are all that counts, so that wrong targets do no harm.
TEST(Trainer, LearnsFromATeacher) {
  TrainingOptions training = options(20);
  const Module teacher = trained(training);
  const Dataset data = three_classes();
  const Dataset wrong = Dataset::create(data.slice(0, 300).inputs, at::zeros({300}, at::kLong), {}).value();
  Module student = two_layers("x", 9);
  training.distillation = Distillation{teacher, 2, 1};
  ASSERT_TRUE(train(student, wrong, training, nullptr, {}));
  EXPECT_GT(evaluate(student, data, 64)->accuracy, 0.9);
  training.distillation->alpha = 2;
  EXPECT_FALSE(train(student, wrong, training, nullptr, {}));
}

TEST(Trainer, LearnsNumbers) {
  const Dataset data = three_classes();
  const at::Tensor inputs = data.slice(0, 300).inputs;
  const auto sums = Dataset::create(inputs, inputs.narrow(1, 0, 3), {}).value();
  Module model = two_layers("x");
  TrainingOptions training = options(20);
  training.loss.kind = LossKind::Mse;
  training.optimizer.learning_rate = 0.02;
  const double before = evaluate(model, sums, 64, LossKind::Mse)->loss;
  ASSERT_TRUE(train(model, sums, training, nullptr, {}));
  EXPECT_LT(evaluate(model, sums, 64, LossKind::Mse)->loss, before / 4);
  const auto refused = train(model, sums, options(), nullptr, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("targets are numbers"));
}

/// Judges by a given list of values, and keeps the weights of each epoch.
struct ListJudge {
  std::vector<double> values;
  Module model;
  std::vector<at::Tensor> weights;
  std::optional<TrainingSummary> summary;

  TrainingHooks hooks() {
    TrainingHooks hooks;
    hooks.judge = [this](const TrainingProgress& progress) -> Result<double> {
      weights.push_back(weight_of(model, "fc1"));
      return values.at(static_cast<std::size_t>(progress.epoch));
    };
    hooks.after_training = [this](const TrainingSummary& told) { summary = told; };
    return hooks;
  }
};

TEST(Trainer, StopsWhenPatienceIsWornOutAndGoesBackToTheBest) {
  ListJudge judge{{0.5, 0.7, 0.705, 0.6, 0.9}, two_layers("x"), {}, {}};
  TrainingOptions training = options(5);
  training.early_stop = EarlyStop{2, 0.01};
  training.restore_best = true;
  ASSERT_TRUE(train(judge.model, three_classes(), training, nullptr, judge.hooks()));
  EXPECT_EQ(judge.weights.size(), 4U) << "0.705 is no improvement by more than 0.01";
  ASSERT_TRUE(judge.summary);
  EXPECT_TRUE(judge.summary->stopped_early && judge.summary->restored);
  EXPECT_EQ(judge.summary->epochs, 4);
  EXPECT_EQ(judge.summary->best_epoch, 2);
  EXPECT_EQ(judge.summary->best_value, 0.705);
  EXPECT_TRUE(weight_of(judge.model, "fc1").equal(judge.weights[2]));
  const auto unjudged = train(judge.model, three_classes(), training, nullptr, {});
  ASSERT_FALSE(unjudged);
  EXPECT_THAT(unjudged.error().message, HasSubstr("judged"));
}

TEST(Trainer, OnlyEpochsAtTheFinalSparsityAreCandidates) {
  ListJudge judge{{0.99, 0.98, 0.5, 0.7, 0.6}, two_layers("x"), {}, {}};
  std::vector<SelectedLayer> layers{{layers_of(judge.model).front(), {}}};
  layers.front().target.sparsity = 0.75;
  AgpSchedule schedule;
  schedule.end_epoch = 3;
  Pruning pruning(Pruner::create(PruningMetric::Level), layers, schedule);
  TrainingOptions training = options(5);
  training.restore_best = true;
  training.early_stop = EarlyStop{2, 0};
  ASSERT_TRUE(train(judge.model, three_classes(), training, &pruning, judge.hooks()));
  EXPECT_EQ(judge.summary->best_epoch, 3);
  EXPECT_FALSE(judge.summary->stopped_early);
  EXPECT_TRUE(weight_of(judge.model, "fc1").equal(judge.weights[3]));
  EXPECT_EQ(at::count_nonzero(weight_of(judge.model, "fc1")).item<std::int64_t>(), 16);
}

/// Rewinds the model after two epochs, and has a parameter of its own.
class Rewinding final : public Compressor {
 public:
  explicit Rewinding(Module model) : model_(std::move(model)), start_(weight_of(model_, "fc1")) {}
  std::vector<at::Tensor> extra_parameters() override { return {scale}; }
  [[nodiscard]] bool restarts_optimizer(std::int64_t epoch) const override { return epoch == 2; }
  Result<void> update_epoch(std::int64_t epoch) override {
    if (epoch == 2) layers_of(model_).front().weight.detach().copy_(start_);
    return {};
  }
  void after_backward() override { scale.mutable_grad() = at::ones({}); }

  at::Tensor scale = at::ones({}).requires_grad_();

 private:
  Module model_;
  at::Tensor start_;
};

TEST(Trainer, ARestartBeginsOptimizerScheduleAndCandidatesAnew) {
  ListJudge judge{{0.9, 0.8, 0.5, 0.6}, two_layers("x"), {}, {}};
  Rewinding compressor(judge.model);
  TrainingOptions training = options(4);
  training.batch_size = 300;
  training.schedule.kind = LearningRateKind::Cosine;
  training.restore_best = true;
  TrainingHooks hooks = judge.hooks();
  std::vector<double> rates;
  hooks.after_batch = [&](const TrainingProgress& progress) { rates.push_back(progress.learning_rate); };
  ASSERT_TRUE(train(judge.model, three_classes(), training, &compressor, hooks));
  ASSERT_EQ(rates.size(), 4U);
  EXPECT_NEAR(rates[0], 0.1, 1e-12);
  EXPECT_NEAR(rates[1], 0.05, 1e-12);
  EXPECT_NEAR(rates[2], 0.1, 1e-12);
  EXPECT_NEAR(rates[3], 0.05, 1e-12);
  EXPECT_EQ(judge.summary->best_epoch, 3) << "epochs before the restart are another model's";
  EXPECT_LT(compressor.scale.item<double>(), 1) << "the optimizer moves the extra parameter";
}

TEST(Trainer, FrozenBatchNormsKeepTheirStatistics) {
  for (const bool freeze : {true, false}) {
    test_models::Builder build(1);
    Module model = build.net("Net", {{"conv", build.conv2d(1, 4)}, {"bn", build.batch_norm2d(4)}},
                             "def forward(self, x):\n  return self.bn.forward(self.conv.forward(x)).mean([2, 3])\n");
    const auto data = Dataset::create(build.normal({20, 1, 5, 5}), at::zeros({20}, at::kLong), {}).value();
    std::vector<at::Tensor> before;
    for (const at::Tensor& buffer : model.buffers()) before.push_back(buffer.clone());
    TrainingOptions training = options(1);
    training.freeze_batch_norm = freeze;
    ASSERT_TRUE(train(model, data, training, nullptr, {}));
    bool is_same = true;
    std::size_t i = 0;
    for (const at::Tensor& buffer : model.buffers()) is_same = is_same && buffer.equal(before[i++]);
    EXPECT_EQ(is_same, freeze);
  }
}

TEST(BehavesAsInTraining, FindsDropoutThatEvalDoesNotTurnOff) {
  const at::Tensor inputs = three_classes().slice(0, 16).inputs;
  EXPECT_TRUE(behaves_as_in_training(two_layers("torch.dropout(x, 0.5, True)"), inputs).value());
  EXPECT_FALSE(behaves_as_in_training(two_layers("torch.dropout(x, 0.5, self.training)"), inputs).value());
  EXPECT_TRUE(behaves_as_in_training(two_layers("x - x.mean(0)"), inputs).value());
}

}  // namespace
}  // namespace lathe::compression
