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

/// By sorting, which is plainly right.
at::Tensor sorted_mask(const at::Tensor& weight, double sparsity, const at::Tensor& current) {
  at::Tensor metric = weight.abs().flatten();
  if (current.defined()) metric = metric.masked_fill(current.flatten().eq(0), -1);
  const auto order = std::get<1>(metric.sort(/*stable=*/true, 0, /*descending=*/false));
  at::Tensor mask = at::ones_like(metric);
  mask.index_fill_(0, order.narrow(0, 0, pruned_count(metric.numel(), sparsity)), 0);
  return mask.view(weight.sizes());
}

TEST(LevelPruner, SelectsWhatSortingWouldInTensorsOfAllSizesAndKinds) {
  const auto pruner = Pruner::create(PruningMetric::Level);
  const auto random = [](std::int64_t n) { return test_models::random_input({3, n}, static_cast<std::uint64_t>(n)); };
  std::vector<at::Tensor> weights;
  for (const std::int64_t n : {1, 5, 1366, 20'000, 100'003}) weights.push_back(random(n));
  weights.push_back(random(50'000).mul(3).round());  // many equals
  weights.push_back(random(50'000).clamp_min(0));    // half of it is zero
  weights.push_back(at::ones({3, 40'000}));          // all equal
  weights.push_back(random(50'000).to(at::kDouble));
  weights.push_back(at::arange(150'000, at::kFloat).view({3, 50'000}).remainder(9));  // in step with a 3x3 kernel
  for (const at::Tensor& weight : weights) {
    Mask current;
    for (const double sparsity : {0.0, 0.001, 0.3, 0.5, 0.52, 0.9, 0.999}) {
      const at::Tensor expected = sorted_mask(weight, sparsity, current.weight);
      const Mask mask =
          pruner->mask({"fc", "Linear", weight, {}}, sparsity, current.weight.defined() ? &current : nullptr);
      ASSERT_TRUE(mask.weight.equal(expected)) << weight.sizes() << " at " << sparsity;
      current = mask;
    }
  }
}

TEST(LevelPruner, HalfPrecisionHasAMaskOfItsOwnType) {
  const Layer layer{"fc", "Linear", tensor({1, -4, 3, 2}, {2, 2}).to(at::kHalf), {}};
  const Mask mask = Pruner::create(PruningMetric::Level)->mask(layer, 0.5, nullptr);
  EXPECT_EQ(mask.weight.scalar_type(), at::kHalf);
  EXPECT_EQ(values_of(mask.weight.to(at::kFloat)), (Values{0, 1, 1, 0}));
}

TEST(LevelPruner, BalancedBlocksLoseTheSameNumber) {
  PrunerOptions options;
  options.balance_gran = {2, 3};
  const auto pruner = Pruner::create(options, {});
  const Layer layer{"fc", "Linear", test_models::random_input({4, 9}, 3), {}};
  const Mask mask = pruner->mask(layer, 0.5, nullptr);
  EXPECT_TRUE(mask.weight.view({2, 2, 3, 3}).sum({1, 3}).eq(3).all().item<bool>()) << mask.weight;
  const at::Tensor kept_least = (layer.weight.abs() + (1 - mask.weight) * 100).view({2, 2, 3, 3}).amin({1, 3});
  const at::Tensor gone_most = (layer.weight.abs() * (1 - mask.weight)).view({2, 2, 3, 3}).amax({1, 3});
  EXPECT_TRUE((kept_least > gone_most).all().item<bool>()) << "in each block the smallest go";
  EXPECT_EQ(pruner->count(layer, 0.5), 18);
}

TEST(LevelPruner, BalancedRowsWhenTheBlockHasFewerDimensions) {
  PrunerOptions options;
  options.balance_gran = {4};
  const Layer layer{"conv", "Conv2d", test_models::random_input({2, 2, 1, 8}, 3), {}};
  const Mask mask = Pruner::create(options, {})->mask(layer, 0.5, nullptr);
  EXPECT_TRUE(mask.weight.view({-1, 4}).sum(1).eq(2).all().item<bool>());
  const Layer odd{"conv", "Conv2d", at::ones({2, 2, 1, 7}), {}};
  const auto fits = Pruner::create(options, {})->check(odd);
  ASSERT_FALSE(fits);
  EXPECT_THAT(fits.error().message, HasSubstr("layer conv: balance_gran [4] does not divide"));
}

TEST(FilterPruner, TransposedConvolutionsHaveTheirFiltersOnTheSecondAxis) {
  // [in 2, out 3, 1, 1]; filters (1, 4), (2, 5), (3, 0)
  const Layer layer{"up", "ConvTranspose2d", tensor({1, 2, 3, 4, 5, 0}, {2, 3, 1, 1}), at::zeros({3})};
  const auto pruner = Pruner::create(PruningMetric::L1);
  EXPECT_EQ(values_of(pruner->metric(layer).to(at::kFloat)), (Values{5, 7, 3}));
  const Mask mask = pruner->mask(layer, 0.4, nullptr);
  EXPECT_EQ(values_of(mask.weight), (Values{1, 1, 0, 1, 1, 0}));
  EXPECT_EQ(values_of(mask.bias), (Values{1, 1, 0}));
}

TEST(FilterPruner, TransposedConvolutionsWithGroups) {
  // Two groups of one input and two filters each: 1, 2 and 3, 0.
  const at::Tensor weight = tensor({1, 2, 3, 0}, {2, 2, 1, 1});
  const Layer layer{"up", "ConvTranspose2d", weight, at::zeros({4})};
  const Mask mask = Pruner::create(PruningMetric::L1)->mask(layer, 0.5, nullptr);
  EXPECT_EQ(values_of(mask.weight), (Values{0, 1, 1, 0}));
  EXPECT_EQ(values_of(mask.bias), (Values{0, 1, 1, 0}));
  const auto told = Pruner::create(PrunerOptions{.metric = PruningMetric::L1}, {nullptr, {{"up", 2}}});
  EXPECT_EQ(values_of(told->mask({"up", "ConvTranspose2d", weight, {}}, 0.5, nullptr).weight), (Values{0, 1, 1, 0}));
}

TEST(FilterPruner, FpgmIsTheSumOfDistancesAndExactForEqualFilters) {
  at::Tensor weight = test_models::random_input({150, 7, 3, 3}, 5);
  weight[140].copy_(weight[2]);
  weight[77].copy_(weight[2]);
  weight[9].copy_(weight[8]).add_(1e-5);
  const at::Tensor rows = weight.view({150, -1}).to(at::kDouble);
  const at::Tensor expected = (rows.unsqueeze(0) - rows.unsqueeze(1)).square().sum(2).sqrt().sum(1);
  const at::Tensor metric = Pruner::create(PruningMetric::Fpgm)->metric({"conv", "Conv2d", weight, {}});
  EXPECT_LT(((metric - expected) / expected).abs().max().item<double>(), 1e-9);
  EXPECT_EQ(metric[2].item<double>(), metric[140].item<double>());
  EXPECT_EQ(metric[2].item<double>(), metric[77].item<double>());
  const at::Tensor same = weight[0].expand({5, 7, 3, 3}).contiguous();
  EXPECT_EQ(Pruner::create(PruningMetric::Fpgm)->metric({"conv", "Conv2d", same, {}}).abs().max().item<double>(), 0);
}

TEST(FilterPruner, MasksOnlyGrow) {
  for (const PruningMetric metric : {PruningMetric::L1, PruningMetric::L2, PruningMetric::Fpgm}) {
    const auto pruner = Pruner::create(metric);
    const Layer before{"conv", "Conv2d", test_models::random_input({10, 2, 3, 3}, 1), {}};
    const Mask first = pruner->mask(before, 0.3, nullptr);
    const Layer after{"conv", "Conv2d", test_models::random_input({10, 2, 3, 3}, 2), {}};
    const Mask second = pruner->mask(after, 0.6, &first);
    EXPECT_TRUE((second.weight <= first.weight).all().item<bool>()) << name_of(metric);
    EXPECT_EQ(second.weight.amax({1, 2, 3}).sum().item<double>(), 4) << name_of(metric);
    EXPECT_TRUE(pruner->mask(after, 0.1, &second).weight.equal(second.weight)) << "less is asked than is gone";
  }
}

TEST(FilterPruner, AllZeroWeightsAndSingleFilters) {
  for (const PruningMetric metric : {PruningMetric::L1, PruningMetric::L2, PruningMetric::Fpgm}) {
    EXPECT_EQ(
        values_of(Pruner::create(metric)->mask({"c", "Conv2d", at::zeros({4, 1, 1, 1}), {}}, 0.5, nullptr).weight),
        (Values{0, 0, 1, 1}));
    EXPECT_EQ(values_of(Pruner::create(metric)->mask({"c", "Conv2d", at::ones({1, 1, 1, 1}), {}}, 0.9, nullptr).weight),
              (Values{1}));
  }
}

TEST(CheckLayers, NamesShapesThatAreNoFilters) {
  const auto check = [](const Layer& layer) {
    return check_layers(*Pruner::create(PruningMetric::L1), {{layer, {}}}).error().message;
  };
  EXPECT_THAT(check({"up", "ConvTranspose2d", at::ones({3, 2}), {}}),
              HasSubstr("layer up: its weight has shape [3, 2]"));
  EXPECT_THAT(check({"fc", "Linear", at::ones({3, 2}), at::ones({2})}), HasSubstr("its bias has 2 entries"));
  EXPECT_THAT(check({"fc", "Linear", at::ones({0, 2}), {}}), HasSubstr("layer fc"));
}

TEST(CheckLayers, ASparsityThatNoLayerCanReachIsAnError) {
  std::vector<SelectedLayer> layers{{{"fc", "Linear", at::ones({4, 100}), {}}, {}}};
  layers.front().target.sparsity = 0.2;
  const auto result = check_reachable(*Pruner::create(PruningMetric::L1), layers);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("the largest of the 1 selected layers has 4 filters"));
  EXPECT_TRUE(check_reachable(*Pruner::create(PruningMetric::Level), layers));
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
