#include <lathe/compression/loss.hpp>

#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/device.hpp>
#include <lathe/compression/evaluate.hpp>
#include <lathe/compression/learning_rate.hpp>

#include "models.hpp"

namespace lathe::compression {
namespace {

using ::testing::HasSubstr;

double value_of(const at::Tensor& loss) {
  return loss.item<double>();
}

/// Rows (1, 2, 3) and (0, 0, 0); classes 2 and 0.
const at::Tensor& scores() {
  static const at::Tensor all = at::tensor({1.F, 2.F, 3.F, 0.F, 0.F, 0.F}).view({2, 3});
  return all;
}
const at::Tensor& classes() {
  static const at::Tensor all = at::tensor({2, 0}, at::kLong);
  return all;
}

constexpr double kLogSum = 0.40760596444438;  // ln(e^-2 + e^-1 + 1)
constexpr double kLogThree = 1.09861228866811;

TEST(Loss, CrossEntropyWithAndWithoutSmoothing) {
  const double plain = (kLogSum + kLogThree) / 2;
  EXPECT_NEAR(value_of(loss_of(scores(), classes(), {})), plain, 1e-6);
  // The smoothed part is the mean over classes of -log p: kLogSum + 1 and ln 3.
  const double smooth = 0.9 * plain + 0.1 * (kLogSum + 1 + kLogThree) / 2;
  EXPECT_NEAR(value_of(loss_of(scores(), classes(), {LossKind::CrossEntropy, 0.1})), smooth, 1e-6);
  const at::Tensor log_probabilities = at::log_softmax(scores(), 1);
  EXPECT_NEAR(value_of(loss_of(log_probabilities, classes(), {LossKind::Nll, 0})), plain, 1e-6);
  EXPECT_NEAR(value_of(loss_of(log_probabilities, classes(), {LossKind::Nll, 0.1})), smooth, 1e-6);
  EXPECT_NEAR(value_of(loss_of(at::softmax(scores(), 1), classes(), {LossKind::CrossEntropy, 0.1})), smooth, 1e-6);
}

TEST(Loss, OfNumbersTakesTargetsWithAndWithoutALastOne) {
  const at::Tensor outputs = at::tensor({1.F, 3.F}).view({2, 1});
  const at::Tensor targets = at::tensor({0.F, 1.F});
  EXPECT_NEAR(value_of(loss_of(outputs, targets, {LossKind::Mse, 0})), 2.5, 1e-6);
  EXPECT_NEAR(value_of(loss_of(outputs, targets.view({2, 1}), {LossKind::Mse, 0})), 2.5, 1e-6);
  // (softplus(1) + softplus(-3)) / 2
  EXPECT_NEAR(value_of(loss_of(outputs, targets, {LossKind::BceWithLogits, 0})), (1.31326169 + 0.04858735) / 2, 1e-6);
  EXPECT_TRUE(check_outputs(outputs, targets, LossKind::Mse));
}

TEST(Loss, WhatDoesNotFitIsNamed) {
  const auto message = [](const at::Tensor& outputs, const at::Tensor& targets, LossKind kind) {
    const auto checked = check_outputs(outputs, targets, kind);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_THAT(message(at::ones({2, 3}), at::ones({2}), LossKind::CrossEntropy), HasSubstr("targets are numbers"));
  EXPECT_THAT(message(at::ones({2, 3}), at::ones({2}), LossKind::Mse), HasSubstr("[2, 3]"));
  EXPECT_THAT(message(at::ones({2, 1}), at::full({2}, 1.5), LossKind::BceWithLogits), HasSubstr("target 1.5"));
  EXPECT_THAT(message(at::ones({2, 2}), classes(), LossKind::Nll), HasSubstr("target 2 is out of range"));
}

TEST(Distillation, IsTheSoftenedDivergenceOfTheTeacher) {
  const at::Tensor teacher = at::tensor({2.F, 0.F}).view({1, 2});
  const at::Tensor student = at::zeros({1, 2});
  // T = 2: teacher sigmoid(1) = .731059, student 1/2; 4 (ln 2 - entropy of the teacher).
  const double p = 0.73105857863;
  const double divergence = std::log(2.0) + p * std::log(p) + (1 - p) * std::log(1 - p);
  EXPECT_NEAR(value_of(distillation_loss(student, teacher, 2)), 4 * divergence, 1e-6);
  EXPECT_NEAR(value_of(distillation_loss(teacher, teacher, 3)), 0, 1e-7);
  EXPECT_NEAR(value_of(distillation_loss(at::log_softmax(student, 1), at::softmax(teacher, 1), 2)), 4 * divergence,
              1e-5);
}

TEST(LearningRate, StepsAndMilestonesAreThoseOfPyTorch) {
  LearningRateSchedule schedule;
  const auto rate = [&](std::int64_t epoch) { return learning_rate_at(schedule, 1, {epoch, 10, epoch * 5, 5}); };
  EXPECT_EQ(rate(7), 1);
  schedule.kind = LearningRateKind::Step;
  schedule.step_size = 3;
  EXPECT_NEAR(rate(2), 1, 1e-12);
  EXPECT_NEAR(rate(3), 0.1, 1e-12);
  EXPECT_NEAR(rate(6), 0.01, 1e-12);
  schedule.kind = LearningRateKind::MultiStep;
  schedule.milestones = {2, 5};
  schedule.gamma = 0.5;
  EXPECT_NEAR(rate(1), 1, 1e-12);
  EXPECT_NEAR(rate(2), 0.5, 1e-12);
  EXPECT_NEAR(rate(5), 0.25, 1e-12);
}

TEST(LearningRate, CosineFallsToItsMinimumAfterTheWarmUp) {
  LearningRateSchedule schedule;
  schedule.kind = LearningRateKind::Cosine;
  schedule.min_learning_rate = 0.2;
  const auto rate = [&](std::int64_t step) { return learning_rate_at(schedule, 1, {step / 5, 4, step, 5}); };
  EXPECT_NEAR(rate(0), 1, 1e-12);
  EXPECT_NEAR(rate(10), 0.6, 1e-12);
  EXPECT_NEAR(rate(20), 0.2, 1e-12);
  schedule.warmup_epochs = 2;
  EXPECT_NEAR(rate(0), 0.1, 1e-12);
  EXPECT_NEAR(rate(9), 1, 1e-12);
  EXPECT_NEAR(rate(10), 1, 1e-12);
  EXPECT_NEAR(rate(15), 0.6, 1e-12);
  schedule = {};
  schedule.warmup_steps = 4;
  EXPECT_NEAR(rate(1), 0.5, 1e-12);
  EXPECT_EQ(rate(4), 1);
}

TEST(LearningRate, BadSchedulesAreErrors) {
  EXPECT_TRUE(check_schedule({}));
  LearningRateSchedule schedule;
  schedule.step_size = 0;
  EXPECT_THAT(check_schedule(schedule).error().message, HasSubstr("step_size is 0"));
  schedule = {};
  schedule.milestones = {5, 3};
  EXPECT_FALSE(check_schedule(schedule));
}

TEST(Device, IsFoundByName) {
  EXPECT_EQ(find_device("cpu").value(), c10::Device(c10::kCPU));
  EXPECT_TRUE(find_device("auto"));
  for (const char* name : {"gpu", "cuda:", "cuda:x", "cuda:-1", ""}) EXPECT_FALSE(find_device(name)) << name;
  const auto far = find_device("cuda:200");
  ASSERT_FALSE(far);
  EXPECT_THAT(far.error().message, HasSubstr("device cuda:200: "));
}

torch::jit::Module identity() {
  test_models::Builder build(0);
  return build.net("Identity", {{"unused", build.linear(1, 1)}}, "def forward(self, x):\n  return x\n");
}

TEST(Evaluate, TellsTopFiveOfSixClassesAndMore) {
  const at::Tensor ranks = at::arange(7, at::kFloat).view({1, 7}).expand({3, 7});
  const auto data = Dataset::create(ranks, at::tensor({6, 2, 1}, at::kLong), {}).value();
  const auto quality = evaluate(identity(), data, 2);
  ASSERT_TRUE(quality) << quality.error().message;
  EXPECT_DOUBLE_EQ(quality->accuracy.value(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(quality->top5_accuracy.value(), 2.0 / 3);
  EXPECT_FALSE(evaluate(identity(), Dataset::create(scores(), classes(), {}).value(), 2)->top5_accuracy);
}

TEST(Evaluate, RegressionHasNoAccuracyAndLogitsAreCutAtZero) {
  const at::Tensor logits = at::tensor({1.F, -1.F, 2.F, -2.F}).view({2, 2});
  const auto data = Dataset::create(logits, at::tensor({1.F, 0.F, 0.F, 0.F}).view({2, 2}), {}).value();
  const auto signs = evaluate(identity(), data, 2, LossKind::BceWithLogits);
  ASSERT_TRUE(signs) << signs.error().message;
  EXPECT_DOUBLE_EQ(signs->accuracy.value(), 0.75);
  const auto distance = evaluate(identity(), data, 1, LossKind::Mse);
  ASSERT_TRUE(distance) << distance.error().message;
  EXPECT_FALSE(distance->accuracy);
  EXPECT_DOUBLE_EQ(distance->loss, (0 + 1 + 4 + 4) / 4.0);
}

}  // namespace
}  // namespace lathe::compression
