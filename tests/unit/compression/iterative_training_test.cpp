#include <lathe/compression/admm.hpp>
#include <lathe/compression/auto_compress.hpp>
#include <lathe/compression/kept_masks.hpp>

#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/measure.hpp>

#include "iterative_fixture.hpp"

namespace lathe::compression {
namespace {

using test_iterative::Bench;
using ::testing::HasSubstr;

at::Tensor matrix(const std::vector<float>& values) {
  return at::tensor(values).view({2, 2});
}

std::vector<SelectedLayer> one_layer(const at::Tensor& weight, double sparsity) {
  std::vector<SelectedLayer> layers{{{"fc", "Linear", weight, {}}, {}}};
  layers.front().target.sparsity = sparsity;
  return layers;
}

TEST(AdmmConformance, D29OneUpdateOfProjectionAndDual) {
  const at::Tensor weight = matrix({.1F, -.5F, .7F, .2F});
  AdmmOptions options;
  options.base_algo = PruningMetric::Level;
  AdmmTraining admm(options, one_layer(weight, 0.5));
  EXPECT_TRUE(admm.projection(0).equal(weight)) << "Z starts as W";
  EXPECT_TRUE(admm.dual(0).eq(0).all().item<bool>());
  admm.update_projections();
  EXPECT_TRUE(admm.projection(0).allclose(matrix({0, -.5F, .7F, 0}), 0, 1e-7));
  EXPECT_TRUE(admm.dual(0).allclose(matrix({.1F, 0, 0, .2F}), 0, 1e-7));
}

TEST(AdmmTraining, ThePenaltyPullsTowardsTheProjection) {
  const at::Tensor weight = matrix({.1F, -.5F, .7F, .2F});
  AdmmOptions options;
  options.base_algo = PruningMetric::Level;
  auto layers = one_layer(weight, 0.5);
  layers.front().target.rho = 0.5;
  AdmmTraining admm(options, layers);
  admm.after_backward();
  EXPECT_TRUE(weight.equal(matrix({.1F, -.5F, .7F, .2F}))) << "W - Z + U is 0 at the start";
  admm.update_projections();
  admm.after_backward();  // W - Z + U = [.2, 0, 0, .4]
  EXPECT_TRUE(weight.allclose(matrix({0, -.5F, .7F, 0}), 0, 1e-6));
}

TEST(AdmmTraining, ProjectionsAreUpdatedAfterEachIterationAndMasksComeLast) {
  const at::Tensor weight = matrix({.1F, -.5F, .7F, .2F});
  AdmmOptions options;
  options.base_algo = PruningMetric::Level;
  options.epochs_per_iteration = 2;
  AdmmTraining admm(options, one_layer(weight, 0.5));
  ASSERT_TRUE(admm.update_epoch(0));
  ASSERT_TRUE(admm.update_epoch(1));
  EXPECT_TRUE(admm.dual(0).eq(0).all().item<bool>());
  EXPECT_TRUE(admm.masks().empty());
  ASSERT_TRUE(admm.update_epoch(2));
  EXPECT_TRUE(admm.dual(0).ne(0).any().item<bool>());
  ASSERT_TRUE(admm.finish());
  EXPECT_TRUE(admm.masks().at("fc").weight.equal(matrix({0, 1, 1, 0})));
}

AdmmOptions short_admm(PruningMetric base) {
  AdmmOptions options;
  options.num_iterations = 2;
  options.epochs_per_iteration = 1;
  options.row = 1e-2;
  options.base_algo = base;
  return options;
}

TEST(Admm, PrunesEachLayerAtItsOwnTarget) {
  Bench bench(0.5);
  bench.context.layers[1].target.sparsity = 0.25;
  const auto result = Admm(short_admm(PruningMetric::L1)).run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  const std::vector<std::int64_t> kept{3, 9, 12};
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const at::Tensor filters = bench.context.layers[i].layer.weight.detach().flatten(1).abs().amax(1);
    EXPECT_EQ(at::count_nonzero(filters).item<std::int64_t>(), kept[i]) << bench.context.layers[i].layer.name;
  }
  EXPECT_TRUE(result->masks.contains("bn1")) << "the batch norm behind conv1 is masked with it";
  ASSERT_EQ(result->history.size(), 3);
  EXPECT_DOUBLE_EQ(result->history.back().metric, test_iterative::accuracy(bench.model));
}

TEST(Admm, LearnsWithWeightsThatGoWithoutLoss) {
  Bench bench(0.7);
  const auto result = Admm(short_admm(PruningMetric::Level)).run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_NEAR(test_iterative::zero_share(bench.context.layers), 0.7, 3.0 / 11070);
  EXPECT_GT(test_iterative::accuracy(bench.model), 0.9);
}

TEST(Admm, BadOptionsAreNamed) {
  Bench bench(0.5);
  AdmmOptions options;
  options.row = 0;
  const auto result = Admm(options).run(bench.context);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("row is 0"));
}

AutoCompressOptions short_rounds(PruningMetric base) {
  AutoCompressOptions options;
  options.num_iterations = 2;
  options.base_algo = base;
  options.annealing.stop_temperature = 60;
  options.admm = short_admm(PruningMetric::Level);
  options.admm.num_iterations = 1;
  return options;
}

TEST(AutoCompress, EachRoundCutsTheModel) {
  Bench bench(0.6);
  const std::int64_t before = count_parameters(bench.model);
  const auto result = AutoCompress(short_rounds(PruningMetric::L1)).run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_TRUE(result->model);
  EXPECT_EQ(count_parameters(bench.model), before) << "the context's model keeps its shapes";
  EXPECT_LT(count_parameters(*result->model), before * 6 / 10);
  EXPECT_TRUE(result->masks.empty()) << "nothing that is masked is left";
  ASSERT_EQ(result->history.size(), 2);
  // Cut input channels come on top of the filters that were asked for.
  EXPECT_GE(result->history[0].sparsity, 1 - std::sqrt(1 - 0.6) - 1e-3);
  EXPECT_GE(result->history[1].sparsity, 0.6 - 1e-3);
  EXPECT_LT(result->history[1].sparsity, 1);
  EXPECT_DOUBLE_EQ(result->history[1].metric, test_iterative::accuracy(*result->model));
  EXPECT_GT(result->history[1].metric, 0.5);
}

TEST(AutoCompress, UnstructuredRoundsAddUpToTheTarget) {
  Bench bench(0.64);
  const auto result = AutoCompress(short_rounds(PruningMetric::Level)).run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_FALSE(result->model);
  ASSERT_EQ(result->history.size(), 2);
  EXPECT_NEAR(result->history[0].sparsity, 0.4, 1e-3);
  EXPECT_NEAR(result->history[1].sparsity, 0.64, 1e-3);
  EXPECT_NEAR(test_iterative::zero_share(bench.context.layers), 0.64, 1e-3);
}

TEST(AutoCompress, TheSameSeedGivesTheSameModel) {
  const auto run = [] {
    Bench bench(0.5);
    auto result = AutoCompress(short_rounds(PruningMetric::L1)).run(bench.context);
    EXPECT_TRUE(result) << (result ? "" : result.error().message);
    return test_iterative::weights_of(*result->model);
  };
  const auto once = run();
  for (const auto& [name, weight] : run()) EXPECT_TRUE(weight.equal(once.at(name))) << name;
}

TEST(AutoCompress, CuttingNeedsAnExample) {
  Bench bench(0.5, false);
  const auto result = AutoCompress({}).run(bench.context);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("example"));
}

TEST(KeptMasks, HoldWeightsAndGradientsAtZero) {
  Bench bench(0.5);
  Masks masks;
  const at::Tensor weight = bench.context.layers[0].layer.weight;
  masks["conv1"] = {at::ones({6, 1, 3, 3}), {}};
  masks["conv1"].weight[2].zero_();
  masks["not_there"] = {at::zeros({1}), {}};
  KeptMasks kept(bench.model, masks);
  TrainingOptions training;
  training.batch_size = 32;
  training.optimizer.momentum = 0.9;
  training.optimizer.weight_decay = 1e-3;
  const at::Tensor before = weight.detach().clone();
  TrainingHooks hooks;
  hooks.after_batch = [&](const TrainingProgress&) {
    ASSERT_EQ(at::count_nonzero(weight.detach()[2]).item<std::int64_t>(), 0);
    ASSERT_EQ(at::count_nonzero(weight.grad()[2]).item<std::int64_t>(), 0);
  };
  ASSERT_TRUE(train(bench.context.network, bench.context.train, training, &kept, hooks));
  EXPECT_FALSE(weight.detach().equal(before)) << "the rest must train";
}

}  // namespace
}  // namespace lathe::compression
