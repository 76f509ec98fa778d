#include <lathe/compression/pruning.hpp>

#include <limits>
#include <memory>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/speedup.hpp>

#include "models.hpp"
#include "selected_layers.hpp"

namespace lathe::compression {
namespace {

using test_models::Builder;
using test_models::ConvOptions;
using test_models::select_layers;
using ::testing::HasSubstr;
using torch::jit::Module;
using Values = std::vector<float>;

Values values_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kFloat).contiguous().flatten();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

std::int64_t pruned_filters(const Mask& mask) {
  return mask.weight.reshape({mask.weight.size(0), -1}).amax(1).eq(0).sum().item<std::int64_t>();
}

PrunerOptions options_of(PruningMetric metric, PruningMode mode = PruningMode::Normal) {
  PrunerOptions options;
  options.metric = metric;
  options.mode = mode;
  return options;
}

/// conv, batch norm, relu, pool, fc; input N x 1 x 6 x 6.
Module small_net() {
  Builder builder(3);
  return builder.net("Small",
                     {{"conv", builder.conv2d(1, 8)}, {"bn", builder.batch_norm2d(8)}, {"fc", builder.linear(8, 3)}},
                     "def forward(self, x):\n"
                     "  x = torch.relu(self.bn.forward(self.conv.forward(x)))\n"
                     "  return self.fc.forward(torch.mean(x, [2, 3]))\n");
}

Dataset small_data(std::int64_t records = 48) {
  return Dataset::create(test_models::random_input({records, 1, 6, 6}, 5), at::arange(records).remainder(3), {})
      .value();
}

TrainingOptions training(std::int64_t epochs = 1) {
  TrainingOptions options;
  options.epochs = epochs;
  options.batch_size = 16;
  options.optimizer.momentum = 0.9;
  return options;
}

std::vector<at::Tensor> snapshot(const Module& model) {
  std::vector<at::Tensor> tensors;
  for (const at::Tensor& tensor : model.parameters()) tensors.push_back(tensor.detach().clone());
  for (const at::Tensor& tensor : model.buffers()) tensors.push_back(tensor.detach().clone());
  return tensors;
}

void expect_same(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].equal(b[i])) << "tensor " << i;
}

SparsityTarget pooled(double sparsity, double max_sparsity = 0.99) {
  SparsityTarget target;
  target.sparsity = sparsity;
  target.pool = 0;
  target.max_sparsity = max_sparsity;
  return target;
}

TEST(GlobalPruning, LayersAreCappedAndOthersMakeUpForIt) {
  Builder builder(1);
  const Module model = builder.net("Two", {{"a", builder.linear(10, 10)}, {"b", builder.linear(10, 10)}},
                                   "def forward(self, x):\n  return self.b.forward(self.a.forward(x))\n");
  auto layers = select_layers(model, {"a", "b"}, 0.5);
  for (SelectedLayer& selected : layers) selected.target = pooled(0.5, 0.6);
  layers[0].layer.weight.detach().mul_(0.01);  // without a cap all of it would go
  for (const PruningMetric metric : {PruningMetric::Level, PruningMetric::L1}) {
    auto pruning = Pruning::create(options_of(metric, PruningMode::Global), layers, std::nullopt, model);
    ASSERT_TRUE(pruning) << pruning.error().message;
    ASSERT_TRUE((*pruning)->update_epoch(0));
    EXPECT_EQ((*pruning)->masks().at("a").weight.eq(0).sum().item<std::int64_t>(), 60);
    EXPECT_EQ((*pruning)->masks().at("b").weight.eq(0).sum().item<std::int64_t>(), 40);
  }
  for (SelectedLayer& selected : layers) selected.target = pooled(0.7, 0.6);
  const auto impossible = Pruning::create(options_of(PruningMetric::L1, PruningMode::Global), layers, {}, model);
  ASSERT_FALSE(impossible);
  EXPECT_THAT(impossible.error().message, HasSubstr("0.7 cannot be reached: none of the layers a, b"));
}

TEST(GlobalPruning, MasksOnlyGrowUnderASchedule) {
  const Module model = test_models::lenet(2);
  auto layers = select_layers(model, {"conv1", "conv2", "fc1"}, 0);
  for (SelectedLayer& selected : layers) selected.target = pooled(0.8);
  auto pruning =
      Pruning::create(options_of(PruningMetric::L2, PruningMode::Global), layers, AgpSchedule{.end_epoch = 6}, model);
  ASSERT_TRUE(pruning) << pruning.error().message;
  Masks last;
  for (std::int64_t epoch = 0; epoch < 6; ++epoch) {
    ASSERT_TRUE((*pruning)->update_epoch(epoch));
    const Masks now = (*pruning)->masks();
    for (const auto& [name, mask] : last) EXPECT_TRUE((now.at(name).weight <= mask.weight).all().item<bool>()) << name;
    last = now;
  }
  double pruned = 0;
  double all = 0;
  for (const auto& [name, mask] : last) {
    pruned += mask.weight.eq(0).sum().item<double>();
    all += static_cast<double>(mask.weight.numel());
  }
  EXPECT_GE(pruned / all, 0.8 - 1e-9);
  EXPECT_LE(pruned / all, 0.8 + 800 / all) << "at most one row of fc1 more";
}

/// a → (depthwise) → + b: all make the same channels; what they lose together can be cut.
TEST(DependencyAwarePruning, AllThatMakeAChannelLoseIt) {
  Builder builder(4);
  const ConvOptions padded{.padding = 1, .bias = false};
  const Module model = builder.net("Mixed",
                                   {{"a", builder.conv2d(3, 8, padded)},
                                    {"depthwise", builder.conv2d(8, 8, {.padding = 1, .groups = 8, .bias = false})},
                                    {"b", builder.conv2d(3, 8, padded)},
                                    {"other", builder.conv2d(8, 4, padded)}},
                                   "def forward(self, x):\n"
                                   "  y = self.depthwise.forward(self.a.forward(x)) + self.b.forward(x)\n"
                                   "  return self.other.forward(torch.relu(y))\n");
  const at::Tensor example = builder.normal({2, 3, 6, 6});
  auto layers = select_layers(model, {"a", "depthwise", "b", "other"}, 0.5);
  auto pruning =
      Pruning::create(options_of(PruningMetric::L1, PruningMode::DependencyAware), layers, {}, model, example);
  ASSERT_TRUE(pruning) << pruning.error().message;
  ASSERT_TRUE((*pruning)->update_epoch(0));
  const Masks& masks = (*pruning)->masks();
  EXPECT_EQ(pruned_filters(masks.at("a")), 4);
  for (const char* name : {"depthwise", "b"}) {
    EXPECT_TRUE(masks.at(name).weight.amax({1, 2, 3}).equal(masks.at("a").weight.amax({1, 2, 3}))) << name;
  }
  Masks shared = masks;
  shared.erase("other");  // it makes the output
  const auto smaller = speed_up(model, shared, example);
  ASSERT_TRUE(smaller) << smaller.error().message;
  for (const auto& change : smaller->layers) EXPECT_EQ(change.after[0], 4) << change.layer;  // other has 4 anyway
}

/// cat(a, b) + c: the channels of c are those of a, then those of b.
TEST(DependencyAwarePruning, ConcatenatedLayersShareTheirPart) {
  Builder builder(5);
  const Module model = builder.net("Concatenated",
                                   {{"a", builder.conv2d(3, 4)},
                                    {"b", builder.conv2d(3, 4)},
                                    {"c", builder.conv2d(3, 8)},
                                    {"d", builder.conv2d(8, 2)}},
                                   "def forward(self, x):\n"
                                   "  y = torch.cat([self.a.forward(x), self.b.forward(x)], 1) + self.c.forward(x)\n"
                                   "  return self.d.forward(y)\n");
  auto layers = select_layers(model, {"a", "b", "c"}, 0.5);
  layers[0].layer.weight.detach().mul_(0.001);
  layers[2].layer.weight.detach().narrow(0, 0, 4).mul_(0.001);  // four of eight would be all of a
  auto pruning = Pruning::create(options_of(PruningMetric::L1, PruningMode::DependencyAware), layers, {}, model,
                                 builder.normal({2, 3, 8, 8}));
  ASSERT_TRUE(pruning) << pruning.error().message;
  ASSERT_TRUE((*pruning)->update_epoch(0));
  const Masks& masks = (*pruning)->masks();
  EXPECT_EQ(pruned_filters(masks.at("a")), 2) << "no layer loses more than its own share";
  EXPECT_EQ(pruned_filters(masks.at("b")), 2);
  const at::Tensor together = at::cat({masks.at("a").bias, masks.at("b").bias});
  EXPECT_TRUE(together.equal(masks.at("c").bias));
}

TEST(DependencyAwarePruning, GroupsOfAConvolutionLoseTheSameNumber) {
  Builder builder(6);
  const Module model = builder.net("Grouped", {{"a", builder.conv2d(3, 8)}, {"g", builder.conv2d(8, 8, {.groups = 2})}},
                                   "def forward(self, x):\n  return self.g.forward(torch.relu(self.a.forward(x)))\n");
  auto layers = select_layers(model, {"a"}, 0.5);
  layers[0].layer.weight.detach().narrow(0, 0, 4).mul_(0.001);
  auto pruning = Pruning::create(options_of(PruningMetric::L2, PruningMode::DependencyAware), layers, {}, model,
                                 builder.normal({2, 3, 8, 8}));
  ASSERT_TRUE(pruning) << pruning.error().message;
  ASSERT_TRUE((*pruning)->update_epoch(0));
  const at::Tensor kept = (*pruning)->masks().at("a").bias;
  EXPECT_EQ(kept.narrow(0, 0, 4).sum().item<double>(), 2);
  EXPECT_EQ(kept.narrow(0, 4, 4).sum().item<double>(), 2);
}

TEST(DependencyAwarePruning, NeedsAnExample) {
  const Module model = small_net();
  const auto pruning = Pruning::create(options_of(PruningMetric::L1, PruningMode::DependencyAware),
                                       select_layers(model, {"conv"}, 0.5), {}, model);
  ASSERT_FALSE(pruning);
  EXPECT_THAT(pruning.error().message, HasSubstr("dependency_aware needs an example"));
}

TEST(Sparsifying, GatheringChangesNothingInTheModel) {
  for (const PruningMetric metric : {PruningMetric::TaylorFo, PruningMetric::Apoz, PruningMetric::MeanActivation}) {
    SCOPED_TRACE(name_of(metric));
    Module model = small_net();
    const auto before = snapshot(model);
    auto pruning = Pruning::create(options_of(metric), select_layers(model, {"conv"}, 0.5), {}, model);
    ASSERT_TRUE(pruning) << pruning.error().message;
    const Dataset data = small_data();
    const auto gathered = (*pruning)->sparsify(model, data, training(), {});
    ASSERT_TRUE(gathered) << gathered.error().message;
    expect_same(snapshot(model), before);
    EXPECT_TRUE(model.is_training());
    for (const at::Tensor& parameter : model.parameters()) EXPECT_FALSE(parameter.grad().defined());
    ASSERT_TRUE((*pruning)->update_epoch(0));
    EXPECT_EQ(pruned_filters((*pruning)->masks().at("conv")), 4);
  }
}

TEST(Sparsifying, FiltersThatNeverFireGoFirst) {
  for (const PruningMetric metric : {PruningMetric::TaylorFo, PruningMetric::Apoz, PruningMetric::MeanActivation}) {
    SCOPED_TRACE(name_of(metric));
    Module model = small_net();
    const Layer conv = layers_of(model).front();
    for (const std::int64_t filter : {1, 6}) {
      conv.bias.detach()[filter] = -100;
      layers_of(model)[1].bias.detach()[filter] = -1000;  // and the norm behind it passes nothing on
    }
    auto pruning = Pruning::create(options_of(metric), select_layers(model, {"conv"}, 0.25), {}, model);
    ASSERT_TRUE(pruning);
    const Dataset data = small_data();
    ASSERT_TRUE((*pruning)->sparsify(model, data, training(), {}));
    ASSERT_TRUE((*pruning)->update_epoch(0));
    EXPECT_EQ(values_of((*pruning)->masks().at("conv").bias), (Values{1, 0, 1, 1, 1, 1, 0, 1}));
  }
}

TEST(Sparsifying, StatisticsAreOfTheModelAsItIsWhenMasksAreMade) {
  Module model = small_net();
  const Dataset data = small_data();
  auto pruning = Pruning::create(options_of(PruningMetric::MeanActivation), select_layers(model, {"conv"}, 0.5),
                                 LinearSchedule{.total_iteration = 2}, model);
  ASSERT_TRUE(pruning);
  ASSERT_TRUE((*pruning)->sparsify(model, data, training(), {}));
  ASSERT_TRUE((*pruning)->update_epoch(0));
  layers_of(model).front().bias.detach()[3] = -100;  // training could have done so
  layers_of(model).front().bias.detach()[5] = -100;
  ASSERT_TRUE((*pruning)->update_epoch(1));
  EXPECT_EQ(values_of((*pruning)->masks().at("conv").bias), (Values{1, 1, 1, 0, 1, 0, 1, 1}));
}

TEST(Sparsifying, WhatCannotBeGatheredIsNamed) {
  Builder builder(2);
  const Module model = builder.net("Unused", {{"fc", builder.linear(36, 3)}, {"spare", builder.linear(36, 3)}},
                                   "def forward(self, x):\n  return self.fc.forward(torch.flatten(x, 1))\n");
  const Dataset data = small_data();
  auto unused = Pruning::create(options_of(PruningMetric::Apoz), select_layers(model, {"spare"}, 0.5), {}, model);
  ASSERT_TRUE(unused);
  const auto gathered = (*unused)->sparsify(model, data, training(), {});
  ASSERT_FALSE(gathered);
  EXPECT_THAT(gathered.error().message, HasSubstr("layer spare is never run"));
  auto forgotten = Pruning::create(options_of(PruningMetric::TaylorFo), select_layers(model, {"fc"}, 0.5), {}, model);
  const auto updated = (*forgotten)->update_epoch(0);
  ASSERT_FALSE(updated);
  EXPECT_THAT(updated.error().message, HasSubstr("taylorfo"));
  layers_of(model).front().weight.set_requires_grad(false);
  const auto frozen = (*forgotten)->sparsify(model, data, training(), {});
  ASSERT_FALSE(frozen);
  EXPECT_THAT(frozen.error().message, HasSubstr("layer fc: its weight does not require a gradient"));
}

TEST(Sparsifying, SlimMakesGammasSmallerThanPlainTraining) {
  const auto sum_of_gammas = [](double scale) {
    Module model = small_net();
    PrunerOptions options = options_of(PruningMetric::Slim);
    options.scale = scale;
    options.sparsifying_training_epochs = 3;
    auto pruning = Pruning::create(options, select_layers(model, {"bn"}, 0.5), {}, model);
    EXPECT_TRUE(pruning);
    std::int64_t epochs = 0;
    TrainingHooks hooks;
    hooks.after_epoch = [&](const TrainingProgress&) -> Result<void> {
      ++epochs;
      return {};
    };
    EXPECT_TRUE((*pruning)->sparsify(model, small_data(), training(1), hooks));
    EXPECT_EQ(epochs, 3);
    return layers_of(model)[1].weight.detach().abs().sum().item<double>();
  };
  EXPECT_LT(sum_of_gammas(0.5), sum_of_gammas(0) - 0.1);
}

TEST(PrunerConformance, D21SlimAddsTheSignsOfGammas) {
  Builder builder(1);
  const Module model = builder.net("Norms", {{"bn1", builder.batch_norm2d(2)}, {"bn2", builder.batch_norm2d(2)}},
                                   "def forward(self, x):\n  return self.bn2.forward(self.bn1.forward(x))\n");
  auto layers = select_layers(model, {"bn1", "bn2"}, 0.5);
  const std::vector<Values> gammas{{.5F, -.25F}, {0, 2}};
  for (std::size_t i = 0; i < 2; ++i) {
    layers[i].layer.weight.detach().copy_(at::tensor(gammas[i]));
    layers[i].layer.weight.mutable_grad() = at::ones({2});
  }
  PrunerOptions options = options_of(PruningMetric::Slim);
  options.scale = 0.1;
  options.sparsifying_training_epochs = 0;
  auto pruning = Pruning::create(options, layers, LinearSchedule{}, model);
  ASSERT_TRUE(pruning) << pruning.error().message;
  ASSERT_TRUE((*pruning)->sparsify(model, small_data(), training(), {}));
  (*pruning)->after_backward();
  const at::Tensor first = layers[0].layer.weight.grad();
  const at::Tensor second = layers[1].layer.weight.grad();
  EXPECT_TRUE(first.allclose(at::tensor(Values{1.1F, .9F}))) << first;
  EXPECT_TRUE(second.allclose(at::tensor(Values{1, 1.1F}))) << second;
}

TEST(Lottery, EachRoundBeginsWithTheFirstWeights) {
  Module model = small_net();
  const auto first = snapshot(model);
  auto pruning = Pruning::create({}, select_layers(model, {"fc"}, 0.75),
                                 LotterySchedule{.prune_iterations = 2, .epochs_per_iteration = 2}, model);
  ASSERT_TRUE(pruning) << pruning.error().message;
  EXPECT_EQ((*pruning)->epochs_needed(), 6);
  std::vector<std::int64_t> kept;
  for (std::int64_t epoch = 0; epoch < 6; ++epoch) {
    EXPECT_EQ((*pruning)->restarts_optimizer(epoch), epoch == 2 || epoch == 4) << epoch;
    ASSERT_TRUE((*pruning)->update_epoch(epoch));
    const at::Tensor mask = (*pruning)->masks().at("fc").weight;
    if (epoch % 2 == 0) {
      kept.push_back(mask.sum().item<std::int64_t>());
      const auto now = snapshot(model);
      for (std::size_t i = 0; i < now.size(); ++i) {
        EXPECT_TRUE(now[i].equal(first[i].sizes() == mask.sizes() ? first[i] * mask : first[i])) << i;
      }
    }
    for (const at::Tensor& parameter : model.parameters()) parameter.detach().add_(1);  // training
    (*pruning)->step();
  }
  EXPECT_EQ(kept, (std::vector<std::int64_t>{24, 12, 6}));
}

TEST(Lottery, WithoutResetWeightsGoOn) {
  Module model = small_net();
  auto pruning = Pruning::create({}, select_layers(model, {"fc"}, 0.75),
                                 LotterySchedule{.prune_iterations = 2, .reset_weights = false}, model);
  ASSERT_TRUE(pruning);
  ASSERT_TRUE((*pruning)->update_epoch(0));
  layers_of(model).front().weight.detach().fill_(7);
  ASSERT_TRUE((*pruning)->update_epoch(1));
  EXPECT_FALSE((*pruning)->restarts_optimizer(1));
  EXPECT_TRUE(layers_of(model).front().weight.eq(7).all().item<bool>());
}

TEST(PruningErrors, OptionsAreChecked) {
  const auto message = [](PrunerOptions options) {
    const auto checked = check_options(options);
    return checked ? std::string() : checked.error().message;
  };
  PrunerOptions options = options_of(PruningMetric::Slim, PruningMode::DependencyAware);
  EXPECT_THAT(message(options), HasSubstr("slim cannot be dependency-aware"));
  options = options_of(PruningMetric::L1);
  options.balance_gran = {4};
  EXPECT_THAT(message(options), HasSubstr("balance_gran is of level"));
  options = {};
  options.balance_gran = {0};
  EXPECT_THAT(message(options), HasSubstr("0 is no length"));
  options = {};
  options.scale = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(message(options), HasSubstr("scale is nan"));
  options = {};
  options.sparsifying_training_batches = 0;
  EXPECT_THAT(message(options), HasSubstr("sparsifying_training_batches is 0"));
  options = {};
  options.global_sort = true;
  EXPECT_THAT(message(options), HasSubstr("global_sort is an argument of taylorfo, not of level"));
  EXPECT_TRUE(check_options({}));
}

TEST(PruningErrors, SchedulesAreChecked) {
  const Module model = small_net();
  const auto pruning =
      Pruning::create({}, select_layers(model, {"fc"}, 0.5), LotterySchedule{.prune_iterations = 0}, model);
  ASSERT_FALSE(pruning);
  EXPECT_THAT(pruning.error().message, HasSubstr("prune_iterations is 0"));
}

TEST(PruningErrors, WeightsThatTurnIntoNanAreNamed) {
  const Module model = small_net();
  auto pruning = Pruning::create({}, select_layers(model, {"fc"}, 0.5), AgpSchedule{.end_epoch = 3}, model);
  ASSERT_TRUE(pruning);
  ASSERT_TRUE((*pruning)->update_epoch(0));
  layers_of(model).back().weight.detach()[0][0] = std::numeric_limits<float>::quiet_NaN();
  const auto updated = (*pruning)->update_epoch(1);
  ASSERT_FALSE(updated);
  EXPECT_THAT(updated.error().message, HasSubstr("layer fc: its weight holds NaN"));
}

TEST(Taylor, GlobalSortSharesOneTotal) {
  Module model = test_models::lenet(3);
  PrunerOptions options = options_of(PruningMetric::TaylorFo);
  options.global_sort = true;
  const Dataset data =
      Dataset::create(test_models::random_input({32, 1, 28, 28}), at::arange(32).remainder(10), {}).value();
  auto pruning = Pruning::create(options, select_layers(model, {"conv1", "conv2", "fc1"}, 0.5), {}, model);
  ASSERT_TRUE(pruning);
  ASSERT_TRUE((*pruning)->sparsify(model, data, training(), {}));
  ASSERT_TRUE((*pruning)->update_epoch(0));
  double pruned = 0;
  double all = 0;
  for (const auto& [name, mask] : (*pruning)->masks()) {
    pruned += mask.weight.eq(0).sum().item<double>();
    all += static_cast<double>(mask.weight.numel());
    EXPECT_GT(mask.weight.sum().item<double>(), 0) << name;
  }
  EXPECT_NEAR(pruned / all, 0.5, 800 / all);
}

}  // namespace
}  // namespace lathe::compression
