#include <lathe/compression/pruner.hpp>
#include <lathe/compression/pruning.hpp>
#include <lathe/compression/speedup.hpp>

#include <limits>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models.hpp"

namespace lathe::compression {
namespace {

using ::testing::HasSubstr;
using Values = std::vector<float>;

at::Tensor tensor(const Values& values, Shape shape) {
  return at::tensor(values).reshape(shape);
}

Values values_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().contiguous().flatten();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

Values mask_of(PruningMetric metric, const at::Tensor& weight, double sparsity, const std::string& type = "Linear") {
  return values_of(Pruner::create(metric)->mask({"layer", type, weight, {}}, sparsity, nullptr).weight);
}

/// One value of each filter's mask.
Values filter_mask(const at::Tensor& weight, double sparsity, const std::string& type = "Conv2d") {
  const Mask mask = Pruner::create(PruningMetric::L1)->mask({"layer", type, weight, {}}, sparsity, nullptr);
  const at::Tensor rows = mask.weight.reshape({weight.size(0), -1});
  EXPECT_TRUE(rows.amax(1).equal(rows.amin(1))) << "a filter is masked in part";
  return values_of(rows.amax(1));
}

TEST(LevelPruner, KeepsTheLargestWeightsAndTheBias) {
  const Layer layer{"fc", "Linear", tensor({.1F, -.5F, .3F, -.05F, .7F, .2F, -.9F, .4F}, {2, 4}), at::zeros({2})};
  const Mask mask = Pruner::create(PruningMetric::Level)->mask(layer, 0.5, nullptr);
  EXPECT_EQ(values_of(mask.weight), (Values{0, 1, 0, 0, 1, 0, 1, 1}));
  EXPECT_EQ(values_of(mask.bias), (Values{1, 1}));
}

TEST(LevelPruner, CountIsTruncated) {
  EXPECT_EQ(mask_of(PruningMetric::Level, tensor({1, 2, 3, 4, 5}, {1, 5}), 0.5), (Values{0, 0, 1, 1, 1}));
  EXPECT_EQ(mask_of(PruningMetric::Level, tensor({1, 2, 3}, {1, 3}), 0.3), (Values{1, 1, 1}));
  EXPECT_EQ(pruned_count(200, 0.29), 57);
  EXPECT_EQ(pruned_count(90, 0.7), 62);
  EXPECT_EQ(pruned_count(1, 0.99), 0);
}

TEST(LevelPruner, TiesGoToTheEarlierIndexUpToTheExactCount) {
  EXPECT_EQ(mask_of(PruningMetric::Level, tensor({1, 1, 1, 2}, {1, 4}), 0.5), (Values{0, 0, 1, 1}));
  EXPECT_EQ(mask_of(PruningMetric::Level, tensor({3, 3, 3, 3}, {1, 4}), 0.75), (Values{0, 0, 0, 1}));
}

TEST(LevelPruner, PrunedWeightsStayPrunedWhenMoreGo) {
  const auto pruner = Pruner::create(PruningMetric::Level);
  const Layer before{"fc", "Linear", tensor({1, 2, 3, 4}, {1, 4}), {}};
  const Mask first = pruner->mask(before, 0.25, nullptr);
  const Layer grown{"fc", "Linear", tensor({9, 2, 3, 4}, {1, 4}), {}};
  EXPECT_EQ(values_of(pruner->mask(grown, 0.5, &first).weight), (Values{0, 0, 1, 1}));
}

TEST(L1Pruner, MasksTheFiltersOfTheSmallestNormAndTheirBias) {
  const Layer layer{"conv", "Conv2d", tensor({3, 0, 2, 2, 5, 0, 1, 1}, {4, 1, 1, 2}), at::zeros({4})};
  const Mask mask = Pruner::create(PruningMetric::L1)->mask(layer, 0.5, nullptr);
  EXPECT_EQ(values_of(mask.weight), (Values{0, 0, 1, 1, 1, 1, 0, 0}));
  EXPECT_EQ(values_of(mask.bias), (Values{0, 1, 1, 0}));
}

TEST(L1Pruner, CountIsTruncated) {
  EXPECT_EQ(filter_mask(tensor({4, 1, 3, 2}, {4, 1, 1, 1}), 0.3), (Values{1, 0, 1, 1}));
  EXPECT_EQ(filter_mask(tensor({4, 1, 3}, {3, 1, 1, 1}), 0.3), (Values{1, 1, 1}));
}

TEST(L1Pruner, ConstantFilters) {
  const at::Tensor weight = at::arange(5, at::kFloat).view({5, 1, 1, 1}).expand({5, 1, 5, 5}).contiguous();
  const Mask mask = Pruner::create(PruningMetric::L1)->mask({"conv", "Conv2d", weight, {}}, 0.2, nullptr);
  EXPECT_EQ(values_of(mask.weight.sum({1, 2, 3})), (Values{0, 25, 25, 25, 25}));
}

TEST(L1Pruner, RowsOfLinear) {
  EXPECT_EQ(filter_mask(tensor({1, 1, 0, .5F, 2, -3, .5F, .2F}, {4, 2}), 0.5, "Linear"), (Values{1, 0, 1, 0}));
}

TEST(CheckLayers, NamesTheTypeThatCannotBePruned) {
  const auto result =
      check_layers(*Pruner::create(PruningMetric::L1), {{{"bn", "BatchNorm2d", at::ones({2}), {}}, {}}});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("layer bn is a BatchNorm2d"));
  EXPECT_THAT(result.error().message, HasSubstr("Conv2d"));
}

TEST(CheckLayers, NamesTheLayerWithNan) {
  const at::Tensor weight = tensor({1, std::numeric_limits<float>::quiet_NaN()}, {1, 2});
  const auto result = check_layers(*Pruner::create(PruningMetric::Level), {{{"fc", "Linear", weight, {}}, {}}});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("layer fc"));
}

SparsityTarget target(double sparsity) {
  SparsityTarget result;
  result.sparsity = sparsity;
  return result;
}

TEST(Pruning, AgpGrowsToTheFinalSparsityAndMasksOnlyGrow) {
  const auto model = test_models::lenet(1);
  std::vector<SelectedLayer> layers;
  for (const Layer& layer : layers_of(model)) {
    if (layer.name == "fc1") layers.push_back({layer, target(0.8)});
  }
  AgpSchedule schedule;
  schedule.end_epoch = 4;
  Pruning pruning(Pruner::create(PruningMetric::Level), layers, schedule);
  EXPECT_EQ(pruning.epochs_needed(), 4);
  at::Tensor last = at::ones({500, 800});
  for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
    ASSERT_TRUE(pruning.update_epoch(epoch));
    const at::Tensor mask = pruning.masks().at("fc1").weight;
    schedule.final_sparsity = 0.8;
    EXPECT_EQ(mask.eq(0).sum().item<std::int64_t>(), pruned_count(400000, schedule.sparsity(epoch)));
    EXPECT_TRUE((mask <= last).all().item<bool>());
    last = mask;
  }
  EXPECT_EQ(at::count_nonzero(layers[0].layer.weight.detach()).item<std::int64_t>(), 80000);
}

TEST(Pruning, ApplyMasksZeroesWeightsAndBias) {
  const auto model = test_models::lenet(1);
  Masks masks;
  masks["conv1"] = {at::ones({20, 1, 5, 5}), at::ones({20})};
  masks["conv1"].weight[3].zero_();
  masks["conv1"].bias[3].zero_();
  apply_masks(model, masks);
  const Layer conv1 = layers_of(model).front();
  EXPECT_EQ(at::count_nonzero(conv1.weight.detach()[3]).item<std::int64_t>(), 0);
  EXPECT_EQ(conv1.bias.detach()[3].item<float>(), 0);
  EXPECT_GT(at::count_nonzero(conv1.weight.detach()).item<std::int64_t>(), 400);
}

TEST(Pruning, MasksGrowOverTheBatchNormBehindAndTheChannelsGo) {
  test_models::Builder builder(7);
  const test_models::ConvOptions padded{.padding = 1, .bias = false};
  const torch::jit::Module model = builder.net(
      "Padded",
      {{"a", builder.conv2d(3, 8, padded)}, {"bn", builder.batch_norm2d(8, true)}, {"b", builder.conv2d(8, 4, padded)}},
      "def forward(self, x):\n  return self.b.forward(torch.relu(self.bn.forward(self.a.forward(x))))\n");
  const at::Tensor example = builder.normal({2, 3, 6, 6});
  std::vector<SelectedLayer> layers{{layers_of(model).front(), {}}};
  layers.front().target.sparsity = 0.5;
  Pruning pruning(Pruner::create(PruningMetric::L1), layers, {});
  pruning.extend_over(model, example);
  ASSERT_TRUE(pruning.update_epoch(0));
  ASSERT_TRUE(pruning.masks().contains("bn"));
  EXPECT_EQ(pruning.masks().at("bn").bias.sum().item<double>(), 4);
  const auto sped_up = speed_up(model, pruning.masks(), example);
  ASSERT_TRUE(sped_up) << sped_up.error().message;
  EXPECT_TRUE(sped_up->kept.empty());
  EXPECT_EQ(sped_up->layers.front().after, (Shape{4, 3, 3, 3}));
}

}  // namespace
}  // namespace lathe::compression
