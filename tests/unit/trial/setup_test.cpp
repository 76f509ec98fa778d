#include "setup.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "trial_fixture.hpp"

namespace lathe::trial {
namespace {

using ::testing::HasSubstr;

TEST(TrainingOptions, SayWhatTheConfigSays) {
  proto::CompressionConfig config;
  config.seed = 5;
  proto::FinetuningConfig& finetuning = config.finetuning;
  finetuning.optimizer = proto::OptimizerKind::AdamW;
  finetuning.optimizer_args = {{"weight_decay", 0.1}};
  finetuning.schedule.kind = proto::LearningRateKind::Multistep;
  finetuning.schedule.milestones = {2, 4};
  finetuning.schedule.warmup_epochs = 1;
  finetuning.clip_norm = 3;
  finetuning.loss = proto::LossKind::Nll;
  finetuning.label_smoothing = 0.1;
  finetuning.early_stop = {4, 0.01};
  finetuning.restore_best = true;
  finetuning.freeze_batch_norm = true;
  const auto options = training_options(config);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->optimizer.kind, compression::Optimizer::AdamW);
  EXPECT_EQ(options->optimizer.weight_decay, 0.1);
  EXPECT_EQ(options->schedule.kind, compression::LearningRateKind::MultiStep);
  EXPECT_EQ(options->schedule.milestones, (std::vector<std::int64_t>{2, 4}));
  EXPECT_EQ(options->schedule.warmup_epochs, 1);
  EXPECT_EQ(options->clip_norm, 3);
  EXPECT_EQ(options->loss.kind, compression::LossKind::Nll);
  EXPECT_EQ(options->loss.label_smoothing, 0.1);
  EXPECT_EQ(options->early_stop->patience, 4);
  EXPECT_TRUE(options->restore_best && options->freeze_batch_norm);
  EXPECT_EQ(options->seed, 5U);
}

TEST(TrainingOptions, OfSparsifyingTakeTheEpochsOfTheAlgorithm) {
  proto::CompressionConfig config;
  config.finetuning.learning_rate = 0.3;
  EXPECT_EQ(sparsifying_options(config, 10)->epochs, 10);
  EXPECT_EQ(sparsifying_options(config, 10)->optimizer.learning_rate, 0.3);
  config.sparsifying.emplace();
  config.sparsifying->epochs = 2;
  config.sparsifying->learning_rate = 0.7;
  EXPECT_EQ(sparsifying_options(config, 10)->epochs, 2);
  EXPECT_EQ(sparsifying_options(config, 10)->optimizer.learning_rate, 0.7);
}

TEST(TrainingOptions, NameADeviceThatIsNotThere) {
  proto::CompressionConfig config;
  config.device = "cuda:255";
  const auto options = training_options(config);
  ASSERT_FALSE(options);
  EXPECT_THAT(options.error().message, HasSubstr("device cuda:255"));
}

TEST(JudgedValue, IsLargerForTheBetter) {
  proto::CompressionConfig config;
  EXPECT_EQ(judged_value({0.9, {}, 2}, config), 0.9);
  EXPECT_EQ(judged_value({{}, {}, 2}, config), -2);
  config.evaluation.metric = proto::EvaluationMetric::Loss;
  EXPECT_EQ(judged_value({0.9, {}, 2}, config), -2);
}

TEST_F(TrialProgram, OnlyTheTrainPartIsChangedAtRandom) {
  config.data.augment = {proto::ImageSize{10, 10}, 0, true};
  const auto train = load_data(config, Part::Train);
  const auto test = load_data(config, Part::Test);
  ASSERT_TRUE(train && test);
  EXPECT_EQ(train->record_shape(), (compression::Shape{1, 10, 10}));
  EXPECT_EQ(test->record_shape(), (compression::Shape{1, 10, 10}));
  const compression::AugmentationDraw draw{1, 1};
  EXPECT_FALSE(train->read({0, 1, 2, 3}, draw)->inputs.equal(train->slice(0, 4).inputs));
  EXPECT_TRUE(test->read({0, 1, 2, 3}, draw)->inputs.equal(test->slice(0, 4).inputs));
}

TEST_F(TrialProgram, TrainsWithATeacherAndGoesBackToItsBestEpoch) {
  config.data.augment = {proto::ImageSize{12, 12}, 1, true};
  config.finetuning.epochs = 6;
  config.finetuning.distillation.emplace();
  config.finetuning.schedule.kind = proto::LearningRateKind::Cosine;
  config.finetuning.early_stop = {1, 0.5};  // nothing improves by half, so that the second epoch is the last
  config.finetuning.restore_best = true;
  const Outcome outcome = run_trial(R"({"a": {"_name": "level", "sparsity": 0.5}})");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.out, HasSubstr("stopped early after 2 epochs"));
  EXPECT_EQ(outcome.metrics.size(), 3U);
  EXPECT_NEAR(outcome.metrics.back().value["sparsity"], 0.5, 0.01) << "what was pruned stays pruned";
}

}  // namespace
}  // namespace lathe::trial
