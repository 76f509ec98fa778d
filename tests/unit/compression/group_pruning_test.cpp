// Importance of dependency groups, and filters that stay in multiples.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/tensor.h>

#include <lathe/compression/measure.hpp>
#include <lathe/compression/pruning.hpp>
#include <lathe/compression/speedup.hpp>

#include "masks.hpp"
#include "models.hpp"
#include "selected_layers.hpp"

namespace lathe::compression {
namespace {

using test_models::Builder;
using test_models::random_input;
using test_models::select_layers;
using ::testing::HasSubstr;
using torch::jit::Module;

PrunerOptions group_options(PruningMetric metric, GroupReduction reduction = GroupReduction::Mean) {
  PrunerOptions options{.metric = metric, .mode = PruningMode::Group};
  options.group_reduction = reduction;
  return options;
}

Masks pruned_at_once(const PrunerOptions& options, std::vector<SelectedLayer> layers, const Module& model,
                     const at::Tensor& example) {
  auto pruning = Pruning::create(options, std::move(layers), {}, model, example);
  EXPECT_TRUE(pruning) << pruning.error().message;
  if (!pruning) return {};
  EXPECT_TRUE((*pruning)->update_epoch(0));
  return (*pruning)->masks();
}

/// Which filters are pruned.
std::vector<std::int64_t> gone(const Mask& mask) {
  std::vector<std::int64_t> filters;
  for (std::int64_t i = 0; i < mask.weight.size(0); ++i)
    if (mask.weight[i].eq(0).all().item<bool>()) filters.push_back(i);
  return filters;
}

void write(const Module& model, const std::string& layer, const std::vector<std::vector<double>>& rows) {
  for (const auto& each : layers_of(model)) {
    if (each.name != layer) continue;
    for (std::size_t row = 0; row < rows.size(); ++row)
      each.weight.detach()[static_cast<std::int64_t>(row)].copy_(at::tensor(rows[row]).view(each.weight[0].sizes()));
  }
}

/// a makes three channels of two inputs each, b reads them with two rows.
Module chain_of_two() {
  Builder build(1);
  Module model = build.net("Chain", {{"a", build.linear(2, 3, false)}, {"b", build.linear(3, 2, false)}},
                           "def forward(self, x):\n  return self.b.forward(torch.relu(self.a.forward(x)))\n");
  write(model, "a", {{3, 0}, {1, 1}, {2, 2}});
  write(model, "b", {{0, 4, 1}, {1, 0, 1}});
  return model;
}

/// Of a: sum |w| 3 2 4, sum w^2 9 2 8. Of b's columns: sum |w| 1 4 2, sum w^2 1 16 2.
TEST(GroupImportance, MakersAndReadersHaveTheirPart) {
  const auto example = random_input({2, 2});
  // Each on a model of its own: pruning zeroes the weights.
  const auto filter = [&](const PrunerOptions& options) {
    const Module model = chain_of_two();
    return gone(pruned_at_once(options, select_layers(model, {"a"}, 0.34), model, example).at("a"));
  };
  using Filters = std::vector<std::int64_t>;
  EXPECT_EQ(filter({.metric = PruningMetric::L1}), (Filters{1})) << "what a alone says";
  EXPECT_EQ(filter(group_options(PruningMetric::L1)), (Filters{0})) << "(3 + 1, 2 + 4, 4 + 2) / 2";
  EXPECT_EQ(filter(group_options(PruningMetric::L2)), (Filters{0})) << "equals go by index: (10, 18, 10) / 2";
  EXPECT_EQ(filter(group_options(PruningMetric::L2, GroupReduction::Sum)), (Filters{0}));
  EXPECT_EQ(filter(group_options(PruningMetric::L2, GroupReduction::Max)), (Filters{2})) << "9, 16, 8";
}

/// Distances of a's rows: |0-1| = sqrt 5, |0-2| = sqrt 5, |1-2| = sqrt 2; of b's columns (0,1) (4,0) (1,1):
/// sqrt 17, 1, sqrt 10. Channel 0: 4.472 + 5.123, 1: 3.650 + 7.285, 2: 3.650 + 4.162.
TEST(GroupImportance, FpgmMeasuresDistancesOnBothSides) {
  const Module model = chain_of_two();
  const auto masks = pruned_at_once(group_options(PruningMetric::Fpgm), select_layers(model, {"a"}, 0.34), model,
                                    random_input({2, 2}));
  EXPECT_EQ(gone(masks.at("a")), (std::vector<std::int64_t>{2}));
}

/// A flattened map of 2 x 2 is read by four columns a channel; the batch norm's weight counts too.
TEST(GroupImportance, FlattenedPositionsAndBatchNormsAddUp) {
  Builder build(2);
  const Module model = build.net("Flat",
                                 {{"a", build.conv2d(1, 2, {.kernel = 1, .bias = false})},
                                  {"norm", build.batch_norm2d(2)},
                                  {"b", build.linear(8, 1, false)}},
                                 "def forward(self, x):\n"
                                 "  return self.b.forward(torch.flatten(self.norm.forward(self.a.forward(x)), 1))\n");
  write(model, "a", {{1}, {2}});
  write(model, "norm", {{5}, {1}});
  write(model, "b", {{1, 1, 1, 1, 1, 1, 1, 2}});
  const auto layers = select_layers(model, {"a"}, 0.5);
  const auto example = random_input({2, 1, 2, 2});
  // Channel 0: 1 + 5 + 4, channel 1: 2 + 1 + 5.
  EXPECT_EQ(gone(pruned_at_once(group_options(PruningMetric::L1), layers, model, example).at("a")),
            (std::vector<std::int64_t>{1}));
  write(model, "b", {{1, 1, 1, 1, 3, 3, 3, 3}});  // 10 against 2 + 1 + 12
  EXPECT_EQ(gone(pruned_at_once(group_options(PruningMetric::L1), layers, model, example).at("a")),
            (std::vector<std::int64_t>{0}));
}

TEST(GroupImportance, WhatItMasksCanBeCutWhole) {
  const Module model = test_models::residual_net(3);
  const at::Tensor example = random_input({2, 3, 16, 16});
  std::vector<std::string> names;
  for (const auto& layer : layers_of(model))
    if (layer.name != "fc" && (layer.type == "Conv2d" || layer.type == "Linear")) names.push_back(layer.name);
  auto pruning =
      Pruning::create(group_options(PruningMetric::L2), select_layers(model, names, 0.5), {}, model, example);
  ASSERT_TRUE(pruning) << pruning.error().message;
  (*pruning)->extend_over(model, example);
  ASSERT_TRUE((*pruning)->update_epoch(0));
  const Masks& masks = (*pruning)->masks();
  const auto report = speed_up(model, masks, example);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->kept.empty());
  for (const auto& change : report->layers) {
    if (std::find(names.begin(), names.end(), change.layer) == names.end()) continue;
    EXPECT_EQ(change.after[0], change.before[0] - static_cast<std::int64_t>(gone(masks.at(change.layer)).size()));
    EXPECT_LT(change.after[0], change.before[0]) << change.layer;
  }
}

TEST(GroupImportance, IsOfMetricsThatReadWeightsAlone) {
  const Module model = chain_of_two();
  for (const auto metric : {PruningMetric::Level, PruningMetric::Slim, PruningMetric::TaylorFo, PruningMetric::Apoz}) {
    const auto refused = Pruning::create(group_options(metric), select_layers(model, {"a"}, 0.34), {}, model);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("mode group"));
  }
  const auto blind = Pruning::create(group_options(PruningMetric::L1), select_layers(model, {"a"}, 0.34), {}, model);
  ASSERT_FALSE(blind);
  EXPECT_THAT(blind.error().message, HasSubstr("mode group needs an example"));
}

TEST(RoundedPruning, LeavesMultiplesInEveryMode) {
  EXPECT_EQ(rounded_count(20, 10, 8), 4);
  EXPECT_EQ(rounded_count(20, 12, 8), 12);
  EXPECT_EQ(rounded_count(10, 3, 16), 0);
  const Module model = test_models::residual_net(3);
  const at::Tensor example = random_input({2, 3, 16, 16});
  for (const auto mode : {PruningMode::Normal, PruningMode::Global, PruningMode::DependencyAware, PruningMode::Group}) {
    auto layers = select_layers(model, {"stem", "fc"}, 0.6);
    ASSERT_FALSE(layers.empty());
    if (mode == PruningMode::Global)
      for (auto& selected : layers) selected.target.pool = 0;
    PrunerOptions options{.metric = PruningMetric::L1, .mode = mode};
    options.round_to = 4;
    const auto masks = pruned_at_once(options, layers, model, example);
    for (const auto& selected : layers) {
      const auto filters = selected.layer.weight.size(0);
      const auto kept = filters - static_cast<std::int64_t>(gone(masks.at(selected.layer.name)).size());
      EXPECT_EQ(kept % 4, 0) << selected.layer.name;
      EXPECT_LT(kept, filters) << selected.layer.name;
    }
  }
}

TEST(RoundedPruning, IsOfFiltersAndAtLeastOne) {
  PrunerOptions options{.metric = PruningMetric::L1};
  options.round_to = 0;
  EXPECT_THAT(check_options(options).error().message, HasSubstr("round_to is 0"));
  options = {.metric = PruningMetric::Level};
  options.round_to = 2;
  EXPECT_THAT(check_options(options).error().message, HasSubstr("level prunes single weights"));
}

}  // namespace
}  // namespace lathe::compression
