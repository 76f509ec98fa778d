// Masks with known answers: the numbers of D08 to D34 and D56.
#include <cmath>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <lathe/compression/pruner.hpp>
#include <lathe/compression/pruning.hpp>
#include <lathe/compression/schedule.hpp>

#include "models.hpp"

namespace lathe::compression {
namespace {

using Values = std::vector<float>;
using Numbers = std::vector<double>;

constexpr double kPrinted = 1e-6;

at::Tensor tensor(const Values& values, const Shape& shape) {
  return at::tensor(values).reshape(shape);
}

Values values_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kFloat).contiguous().flatten();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

/// Filters as rows of a Conv2d's weight.
Layer conv(const Values& values, std::int64_t filters) {
  const auto each = static_cast<std::int64_t>(values.size()) / filters;
  return {"conv", "Conv2d", tensor(values, {filters, 1, 1, each}), at::zeros({filters})};
}

Mask mask(PruningMetric metric, const Layer& layer, double sparsity) {
  return Pruner::create(metric)->mask(layer, sparsity, nullptr);
}

/// One number of each filter's mask, which is all ones or all zeros.
Values filters_kept(const Mask& mask) {
  const at::Tensor rows = mask.weight.reshape({mask.weight.size(0), -1});
  EXPECT_TRUE(rows.amax(1).equal(rows.amin(1))) << "a filter is masked in part";
  return values_of(rows.amax(1));
}

void expect_metric(const Pruner& pruner, const Layer& layer, const Numbers& expected) {
  const at::Tensor metric = pruner.metric(layer).to(at::kDouble);
  ASSERT_EQ(metric.numel(), static_cast<std::int64_t>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(metric.data_ptr<double>()[i], expected[i], kPrinted * std::max(1.0, expected[i])) << "unit " << i;
}

const Values kFourFilters{3, 0, 2, 2, 5, 0, 1, 1};

/// NNI v1 refuses Linear too; as its v2 (D32) Lathe prunes the rows, and refuses only what has no filters.
TEST(PrunerConformance, D04TypesWithoutFiltersAreRefusedByName) {
  const auto pruner = Pruner::create(PruningMetric::L1);
  SparsityTarget half;
  half.sparsity = .5;
  EXPECT_TRUE(check_layers(*pruner, {{{"fc", "Linear", at::ones({4, 2}), {}}, half}}));
  const auto refused = check_layers(*pruner, {{{"emb", "Embedding", at::ones({4, 2}), {}}, half}});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("emb"), std::string::npos) << refused.error().message;
  EXPECT_NE(refused.error().message.find("Embedding"), std::string::npos) << refused.error().message;
}

TEST(PrunerConformance, D08LevelKeepsTheBiasOfRowsThatAreNotEmpty) {
  const Layer layer{"fc", "Linear", tensor({.1F, -.5F, .3F, -.05F, .7F, .2F, -.9F, .4F}, {2, 4}), at::zeros({2})};
  const Mask result = mask(PruningMetric::Level, layer, 0.5);
  EXPECT_EQ(values_of(result.weight), (Values{0, 1, 0, 0, 1, 0, 1, 1}));
  EXPECT_EQ(values_of(result.bias), (Values{1, 1}));
}

TEST(PrunerConformance, D09D10LevelTruncatesTheCount) {
  EXPECT_EQ(values_of(mask(PruningMetric::Level, conv({1, 2, 3, 4, 5}, 1), 0.5).weight), (Values{0, 0, 1, 1, 1}));
  EXPECT_EQ(values_of(mask(PruningMetric::Level, conv({1, 2, 3}, 1), 0.3).weight), (Values{1, 1, 1}));
}

TEST(PrunerConformance, D11LevelPrunesTheEarlierOfEquals) {
  EXPECT_EQ(values_of(mask(PruningMetric::Level, conv({1, 1, 1, 2}, 1), 0.5).weight), (Values{0, 0, 1, 1}));
}

TEST(PrunerConformance, D12L1MetricAndMask) {
  const Layer layer = conv(kFourFilters, 4);
  expect_metric(*Pruner::create(PruningMetric::L1), layer, {3, 4, 5, 2});
  const Mask result = mask(PruningMetric::L1, layer, 0.5);
  EXPECT_EQ(filters_kept(result), (Values{0, 1, 1, 0}));
  EXPECT_EQ(values_of(result.bias), (Values{0, 1, 1, 0}));
}

TEST(PrunerConformance, D13L2MetricAndMask) {
  const Layer layer = conv(kFourFilters, 4);
  expect_metric(*Pruner::create(PruningMetric::L2), layer, {3, 2.8284271, 5, 1.4142135});
  EXPECT_EQ(filters_kept(mask(PruningMetric::L2, layer, 0.5)), (Values{1, 0, 1, 0}));
}

TEST(PrunerConformance, D14FpgmMetricAndMask) {
  const Layer layer = conv(kFourFilters, 4);
  expect_metric(*Pruner::create(PruningMetric::Fpgm), layer, {6.4721355, 7.2558331, 9.7286568, 7.7733870});
  EXPECT_EQ(filters_kept(mask(PruningMetric::Fpgm, layer, 0.5)), (Values{0, 0, 1, 1}));
}

TEST(PrunerConformance, D15L1TruncatesTheCount) {
  EXPECT_EQ(filters_kept(mask(PruningMetric::L1, conv({4, 1, 3, 2}, 4), 0.3)), (Values{1, 0, 1, 1}));
  EXPECT_EQ(filters_kept(mask(PruningMetric::L1, conv({4, 1, 3}, 3), 0.3)), (Values{1, 1, 1}));
}

TEST(PrunerConformance, D16FpgmOnALine) {
  const Layer layer = conv({0, 1, 3, 10, 11}, 5);
  expect_metric(*Pruner::create(PruningMetric::Fpgm), layer, {25, 22, 20, 27, 30});
  EXPECT_EQ(filters_kept(mask(PruningMetric::Fpgm, layer, 0.4)), (Values{1, 0, 0, 1, 1}));
}

/// Filter i is `first + i` everywhere.
Layer constant_filters(std::int64_t filters, std::int64_t inputs, double first) {
  const at::Tensor each = at::arange(filters, at::kFloat).add(first).view({filters, 1, 1, 1});
  return {"conv", "Conv2d", each.expand({filters, inputs, 5, 5}).contiguous(), at::zeros({filters})};
}

TEST(PrunerConformance, D17FpgmPrunesTheFiltersInTheMiddle) {
  EXPECT_EQ(values_of(mask(PruningMetric::Fpgm, constant_filters(10, 5, 1), 0.2).weight.sum({1, 2, 3})),
            (Values{125, 125, 125, 125, 0, 0, 125, 125, 125, 125}));
}

TEST(PrunerConformance, D18L1OfConstantFilters) {
  EXPECT_EQ(values_of(mask(PruningMetric::L1, constant_filters(5, 1, 0), 0.2).weight.sum({1, 2, 3})),
            (Values{0, 25, 25, 25, 25}));
}

/// A model of batch norms only, with these gammas.
std::vector<SelectedLayer> batch_norms(torch::jit::Module& model, const std::vector<Values>& gammas, double sparsity) {
  test_models::Builder builder(1);
  std::vector<std::pair<std::string, torch::jit::Module>> norms;
  std::string body = "def forward(self, x):\n";
  for (std::size_t i = 0; i < gammas.size(); ++i) {
    const std::string name = "bn" + std::to_string(i + 1);
    norms.emplace_back(name, builder.batch_norm2d(static_cast<std::int64_t>(gammas[i].size())));
    body += "  x = self." + name + ".forward(x)\n";
  }
  model = builder.net("Norms", norms, body + "  return x\n");
  std::vector<SelectedLayer> layers;
  for (const Layer& layer : layers_of(model)) {
    layer.weight.detach().copy_(at::tensor(gammas[layers.size()]));
    layers.push_back({layer, {}});
    layers.back().target.sparsity = sparsity;
  }
  return layers;
}

PrunerOptions options_of(PruningMetric metric, PruningMode mode = PruningMode::Normal) {
  PrunerOptions options;
  options.metric = metric;
  options.mode = mode;
  return options;
}

Masks pruned_at_once(const PrunerOptions& options, const std::vector<SelectedLayer>& layers,
                     const torch::jit::Module& model, const at::Tensor& example = {}) {
  auto pruning = Pruning::create(options, layers, std::nullopt, model, example);
  EXPECT_TRUE(pruning) << pruning.error().message;
  if (!pruning) return {};
  const auto updated = (*pruning)->update_epoch(0);
  EXPECT_TRUE(updated) << updated.error().message;
  return (*pruning)->masks();
}

TEST(PrunerConformance, D19SlimHasOneThreshold) {
  torch::jit::Module model;
  const auto layers = batch_norms(model, {{.1F, .9F, .8F, .7F}, {.05F, -.2F, .3F, -.6F}}, 0.5);
  const Masks masks = pruned_at_once(options_of(PruningMetric::Slim), layers, model);
  EXPECT_EQ(values_of(masks.at("bn1").weight), (Values{0, 1, 1, 1}));
  EXPECT_EQ(values_of(masks.at("bn1").bias), (Values{0, 1, 1, 1}));
  EXPECT_EQ(values_of(masks.at("bn2").weight), (Values{0, 0, 0, 1}));
  EXPECT_EQ(values_of(masks.at("bn2").bias), (Values{0, 0, 0, 1}));
}

TEST(PrunerConformance, D20SlimOverTwoLayersOfEqualGammas) {
  torch::jit::Module model;
  const auto layers = batch_norms(model, {{0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}}, 0.2);
  for (const auto& [name, result] : pruned_at_once(options_of(PruningMetric::Slim), layers, model)) {
    EXPECT_EQ(values_of(result.weight), (Values{0, 1, 1, 1, 1})) << name;
    EXPECT_EQ(values_of(result.bias), (Values{0, 1, 1, 1, 1})) << name;
  }
}

TEST(PrunerConformance, D22TaylorSumsOverBatches) {
  const at::Tensor weights = tensor({1, 2, 3, 0, -1, 1, .5F, .5F}, {4, 2});
  const at::Tensor gradients = tensor({1, 1, .1F, 5, 2, 0, 4, -4}, {4, 2});
  const auto statistics = std::make_shared<FilterStatistics>();
  for (int batch = 0; batch < 2; ++batch) statistics->add_gradient("conv", weights, gradients);
  const auto pruner = Pruner::create(options_of(PruningMetric::TaylorFo), {statistics, {}});
  const Layer layer{"conv", "Conv2d", weights.view({4, 1, 1, 2}), {}};
  expect_metric(*pruner, layer, {10, .18, 8, 16});
  EXPECT_EQ(filters_kept(pruner->mask(layer, 0.5, nullptr)), (Values{1, 0, 0, 1}));
}

TEST(PrunerConformance, D23TaylorOfConstantFilters) {
  const Layer layer = constant_filters(5, 1, 0);
  const at::Tensor rows = layer.weight.view({5, 25});
  const at::Tensor signs = at::ones({5, 25});
  signs.select(0, 3).neg_();
  const auto statistics = std::make_shared<FilterStatistics>();
  statistics->add_gradient("conv", rows, signs);
  const auto pruner = Pruner::create(options_of(PruningMetric::TaylorFo), {statistics, {}});
  EXPECT_EQ(filters_kept(pruner->mask(layer, 0.2, nullptr)), (Values{0, 1, 1, 1, 1}));
}

const Values kActivations{1, -1, 0, 2, 3, 3, 3, 3, -1, -2, -3, -4, -1, 8, -2, -3};

TEST(PrunerConformance, D24ApozOfActivations) {
  const auto statistics = std::make_shared<FilterStatistics>();
  statistics->add_nonzero_share("conv", tensor(kActivations, {1, 4, 2, 2}), 1, Activation::Relu);
  const auto pruner = Pruner::create(options_of(PruningMetric::Apoz), {statistics, {}});
  expect_metric(*pruner, conv(kFourFilters, 4), {.5, 1, 0, .25});
  EXPECT_EQ(filters_kept(pruner->mask(conv(kFourFilters, 4), 0.5, nullptr)), (Values{1, 1, 0, 0}));
}

TEST(PrunerConformance, D25MeanOfActivations) {
  const auto statistics = std::make_shared<FilterStatistics>();
  statistics->add_mean("conv", tensor(kActivations, {1, 4, 2, 2}), 1, Activation::Relu);
  const auto pruner = Pruner::create(options_of(PruningMetric::MeanActivation), {statistics, {}});
  expect_metric(*pruner, conv(kFourFilters, 4), {.75, 3, 0, 2});
  EXPECT_EQ(filters_kept(pruner->mask(conv(kFourFilters, 4), 0.5, nullptr)), (Values{0, 1, 0, 1}));
}

Numbers rounds(const Schedule& schedule, double sparsity, std::int64_t epochs) {
  SparsityTarget target;
  target.sparsity = sparsity;
  Numbers result;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) result.push_back(scheduled_sparsity(schedule, target, epoch));
  return result;
}

void expect_rounds(const Numbers& found, const Numbers& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], kPrinted) << "round " << i;
}

TEST(PrunerConformance, D26AgpOfTenIterations) {
  expect_rounds(rounds(AgpSchedule{.end_epoch = 10}, 0.8, 10),
                {0, .238134, .423594, .562963, .662826, .729767, .770370, .791221, .798903, .8});
}

TEST(PrunerConformance, D27AgpAndLinearOfNni2) {
  expect_rounds(rounds(AgpSchedule{.end_epoch = 6}, 0.8, 6), {0, .3904, .6272, .7488, .7936, .8});
  expect_rounds(rounds(LinearSchedule{.total_iteration = 5}, 0.8, 6), {0, .16, .32, .48, .64, .8});
}

TEST(PrunerConformance, D28LotteryRatiosAndMasks) {
  const Numbers ratios = rounds(LotterySchedule{.prune_iterations = 5}, 0.8, 6);
  expect_rounds(ratios, {0, .275220, .474694, .619269, .724054, .8});
  const Layer layer{"fc", "Linear", at::arange(1, 11, at::kFloat).view({1, 10}), {}};
  std::vector<std::int64_t> kept;
  Mask current;
  for (const double ratio : ratios) {
    current = Pruner::create(PruningMetric::Level)->mask(layer, ratio, kept.empty() ? nullptr : &current);
    kept.push_back(current.weight.sum().item<std::int64_t>());
  }
  EXPECT_EQ(kept, (std::vector<std::int64_t>{10, 8, 6, 4, 3, 2}));
}

TEST(PrunerConformance, D31LevelMasksTheBiasOfAnEmptyRow) {
  const Layer layer{"fc", "Linear", tensor({.1F, .2F, 3, 4, 5, .3F}, {3, 2}), at::zeros({3})};
  const Mask result = mask(PruningMetric::Level, layer, 0.5);
  EXPECT_EQ(values_of(result.weight), (Values{0, 0, 1, 1, 1, 0}));
  EXPECT_EQ(values_of(result.bias), (Values{0, 1, 1}));
}

TEST(PrunerConformance, D32L1OfLinearRows) {
  const Layer layer{"fc", "Linear", tensor({1, 1, 0, .5F, 2, -3, .5F, .2F}, {4, 2}), at::zeros({4})};
  const Mask result = mask(PruningMetric::L1, layer, 0.5);
  EXPECT_EQ(filters_kept(result), (Values{1, 0, 1, 0}));
  EXPECT_EQ(values_of(result.bias), (Values{1, 0, 1, 0}));
}

/// Filters of these L1 norms.
void set_norms(const Layer& layer, const Values& norms) {
  const at::Tensor weight = layer.weight.detach();
  const double each = static_cast<double>(weight.numel()) / static_cast<double>(weight.size(0));
  weight.copy_(at::tensor(norms).div(each).view({weight.size(0), 1, 1, 1}).expand(weight.sizes()));
}

TEST(PrunerConformance, D33OneThresholdOverThePool) {
  test_models::Builder builder(1);
  const auto model = builder.net("Two", {{"c1", builder.conv2d(1, 4)}, {"c2", builder.conv2d(4, 4)}},
                                 "def forward(self, x):\n  return self.c2.forward(self.c1.forward(x))\n");
  std::vector<SelectedLayer> layers;
  for (const Layer& layer : layers_of(model)) {
    set_norms(layer, layer.name == "c1" ? Values{1, 2, 3, 4} : Values{.5F, .6F, 10, 11});
    layers.push_back({layer, {}});
    layers.back().target.sparsity = 0.5;
    layers.back().target.pool = 0;
  }
  const Masks masks = pruned_at_once(options_of(PruningMetric::L1, PruningMode::Global), layers, model);
  EXPECT_EQ(filters_kept(masks.at("c1")), (Values{0, 0, 1, 1}));
  EXPECT_EQ(filters_kept(masks.at("c2")), (Values{0, 0, 1, 1}));
}

TEST(PrunerConformance, D34DependentLayersLoseTheSameChannels) {
  test_models::Builder builder(1);
  const test_models::ConvOptions padded{.padding = 1};
  const auto model = builder.net("Residual",
                                 {{"c0", builder.conv2d(3, 8, padded)},
                                  {"c1", builder.conv2d(8, 8, padded)},
                                  {"c2", builder.conv2d(8, 8, padded)},
                                  {"fc", builder.linear(8, 2)}},
                                 "def forward(self, x):\n"
                                 "  x = self.c0.forward(x)\n"
                                 "  x = self.c2.forward(torch.relu(self.c1.forward(x))) + x\n"
                                 "  return self.fc.forward(torch.mean(x, [2, 3]))\n");
  std::vector<SelectedLayer> layers;
  for (const Layer& layer : layers_of(model)) {
    if (layer.name != "c0" && layer.name != "c2") continue;
    set_norms(layer, layer.name == "c0" ? Values{1, 2, 3, 4, 5, 6, 7, 8} : Values{8, 1, 1, 1, 1, 1, 1, 9});
    layers.push_back({layer, {}});
    layers.back().target.sparsity = layer.name == "c0" ? 0.5 : 0.25;
  }
  const Masks masks = pruned_at_once(options_of(PruningMetric::L1, PruningMode::DependencyAware), layers, model,
                                     test_models::random_input({2, 3, 6, 6}));
  EXPECT_EQ(filters_kept(masks.at("c0")), (Values{1, 0, 0, 1, 1, 1, 1, 1}));
  EXPECT_EQ(filters_kept(masks.at("c2")), (Values{1, 0, 0, 1, 1, 1, 1, 1}));
}

TEST(PrunerConformance, D56ExportedWeightsAndMasks) {
  test_models::Builder builder(1);
  const auto model =
      builder.net("One", {{"fc", builder.linear(2, 2)}}, "def forward(self, x):\n  return self.fc.forward(x)\n");
  const Layer fc = layers_of(model).front();
  fc.weight.detach().copy_(tensor({.1F, -.5F, .7F, .2F}, {2, 2}));
  fc.bias.detach().copy_(tensor({1, 2}, {2}));
  std::vector<SelectedLayer> layers{{fc, {}}};
  layers.front().target.sparsity = 0.5;
  const Masks masks = pruned_at_once({}, layers, model);
  EXPECT_EQ(values_of(fc.weight), (Values{0, -.5F, .7F, 0}));
  EXPECT_EQ(values_of(fc.bias), (Values{1, 2}));
  EXPECT_EQ(values_of(masks.at("fc").weight), (Values{0, 1, 1, 0}));
  EXPECT_EQ(values_of(masks.at("fc").bias), (Values{1, 1}));
}

}  // namespace
}  // namespace lathe::compression
