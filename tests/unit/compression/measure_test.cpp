#include <lathe/compression/measure.hpp>

#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/speedup.hpp>

#include "masks.hpp"
#include "measure/statistics.hpp"
#include "models.hpp"

namespace lathe::compression {
namespace {

using test_models::Builder;
using test_models::random_input;
using ::testing::HasSubstr;

std::vector<std::pair<std::string, std::int64_t>> macs(const torch::jit::Module& model,
                                                       const std::vector<std::int64_t>& shape) {
  const auto counted = count_macs(model, random_input(shape));
  EXPECT_TRUE(counted) << counted.error().message;
  std::vector<std::pair<std::string, std::int64_t>> list;
  for (const auto& each : *counted) list.emplace_back(each.layer, each.macs);
  return list;
}

using Expected = std::vector<std::pair<std::string, std::int64_t>>;

TEST(MeasureConformance, D62ClassicLenet) {
  Builder build(1);
  auto conv1 = build.conv2d(1, 6, {.kernel = 5});
  auto conv2 = build.conv2d(6, 16, {.kernel = 5});
  auto fc1 = build.linear(256, 120);
  auto fc2 = build.linear(120, 84);
  auto fc3 = build.linear(84, 10);
  const auto model = build.net("Lenet", {{"conv1", conv1}, {"conv2", conv2}, {"fc1", fc1}, {"fc2", fc2}, {"fc3", fc3}},
                               "def forward(self, x):\n"
                               "  x = torch.max_pool2d(torch.relu(self.conv1.forward(x)), [2, 2])\n"
                               "  x = torch.max_pool2d(torch.relu(self.conv2.forward(x)), [2, 2])\n"
                               "  x = self.fc2.forward(self.fc1.forward(torch.flatten(x, 1)))\n"
                               "  return self.fc3.forward(x)\n");
  const Expected expected{{"conv1", 86400}, {"conv2", 153600}, {"fc1", 30720}, {"fc2", 10080}, {"fc3", 840}};
  EXPECT_EQ(macs(model, {1, 1, 28, 28}), expected);
  EXPECT_EQ(macs(model, {7, 1, 28, 28}), expected) << "for one sample, whatever the batch";
  EXPECT_EQ(count_parameters(model), 44426);
}

TEST(Measure, OnlyConvolutionsAndLinearLayersCount) {
  Builder build(1);
  auto conv = build.conv2d(3, 5, {.kernel = 1});
  auto norm = build.batch_norm2d(5);
  auto linear = build.linear(20, 10);
  const auto model = build.net("Model1", {{"conv", conv}, {"norm", norm}, {"linear", linear}},
                               "def forward(self, x):\n"
                               "  x = torch.relu(self.norm.forward(self.conv.forward(x)))\n"
                               "  x = torch.adaptive_avg_pool2d(x, [2, 2])\n"
                               "  return self.linear.forward(torch.flatten(x, 1))\n");
  EXPECT_EQ(macs(model, {1, 3, 2, 2}), (Expected{{"conv", 60}, {"linear", 200}}));
  EXPECT_EQ(count_parameters(model), 240);
}

/// A module without children or weights.
torch::jit::Module function(Builder& build, const std::string& name, const std::string& value) {
  return build.net(name, {}, "def forward(self, x):\n  return " + value + "\n");
}

/// conv 3->5 k1, batch norm, leaky ReLU, bilinear upsampling to 2 x 2, adaptive pool to 2 x 2, linear 20->10.
torch::jit::Module counted_model() {
  Builder build(1);
  return build.net(
      "Model1",
      {{"conv", build.conv2d(3, 5, {.kernel = 1})},
       {"bn", build.batch_norm2d(5)},
       {"relu", function(build, "LeakyReLU", "torch.leaky_relu(x, 0.01)")},
       {"upsample", function(build, "Upsample", "torch.upsample_bilinear2d(x, [2, 2], False, None, None)")},
       {"pool", function(build, "AdaptiveAvgPool2d", "torch.adaptive_avg_pool2d(x, [2, 2])")},
       {"fc", build.linear(20, 10)}},
      "def forward(self, x):\n"
      "  x = self.relu.forward(self.bn.forward(self.conv.forward(x)))\n"
      "  x = self.pool.forward(self.upsample.forward(x))\n"
      "  return self.fc.forward(torch.flatten(x, 1))\n");
}

TEST(MeasureConformance, D74FullModeCountsEverything) {
  const auto model = counted_model();
  const auto counted = count_macs(model, random_input({4, 3, 2, 2}), CountMode::Full);
  ASSERT_TRUE(counted) << counted.error().message;
  Expected found;
  for (const auto& each : *counted) found.emplace_back(each.layer, each.macs);
  EXPECT_EQ(found, (Expected{{"conv", 80}, {"bn", 40}, {"relu", 20}, {"upsample", 220}, {"pool", 40}, {"fc", 210}}));
  EXPECT_EQ(total_macs(*counted), 610);
  EXPECT_EQ(count_parameters(model), 240);
}

TEST(MeasureConformance, D74DefaultModeCountsLayers) {
  EXPECT_EQ(macs(counted_model(), {1, 3, 2, 2}), (Expected{{"conv", 60}, {"fc", 200}}));
}

TEST(Measure, ProductsOfActivationsCountInFullModeOnly) {
  Builder build(1);
  const auto model = build.net("Attention", {{"q", build.linear(6, 6, false)}},
                               "def forward(self, x):\n"
                               "  q = self.q.forward(x)\n"
                               "  return torch.matmul(torch.softmax(torch.matmul(q, q.transpose(1, 2)), -1), q)\n");
  const auto example = random_input({2, 5, 6});
  EXPECT_EQ(total_macs(count_macs(model, example).value()), 5 * 36);
  EXPECT_EQ(total_macs(count_macs(model, example, CountMode::Full).value()), 5 * 36 + 2 * 5 * 5 * 6);
}

constexpr std::int64_t kFloat = 4;

TEST(Measure, ActivationsLiveToTheirLastReader) {
  Builder build(1);
  // conv reads 2 x 3 x 8 x 8 and makes 2 x 4 x 8 x 8; both live then. relu in place needs no more; the sum reads both.
  const std::string forward =
      "def forward(self, x):\n"
      "  y = torch.relu_(self.conv.forward(x))\n"
      "  z = y + 1\n"
      "  return torch.flatten(y * z, 1)\n";
  const auto model = build.net("Net", {{"conv", build.conv2d(3, 4, {.kernel = 3, .padding = 1})}}, forward);
  const auto peak = peak_activation_bytes(model, random_input({2, 3, 8, 8}));
  ASSERT_TRUE(peak) << peak.error().message;
  EXPECT_EQ(*peak, 3 * 2 * 4 * 64 * kFloat) << "y, z and their product; the flattened view needs nothing";
}

TEST(Measure, WhatAListHoldsLives) {
  Builder build(1);
  const auto model = build.net("Net", {},
                               "def forward(self, x):\n"
                               "  a = x + 1\n"
                               "  b = a + 1\n"
                               "  return torch.sum(torch.cat([a, b], 1))\n");
  EXPECT_EQ(peak_activation_bytes(model, random_input({2, 10})), 4 * 20 * kFloat) << "a, b and the two side by side";
}

TEST(Measure, WeightsAreNoActivations) {
  Builder build(1);
  const auto model =
      build.net("Net", {{"fc", build.linear(100, 10)}}, "def forward(self, x):\n  return self.fc.forward(x)\n");
  const auto data = random_input({50, 100});
  EXPECT_EQ(peak_activation_bytes(model, data.narrow(0, 3, 2)), 2 * 110 * kFloat)
      << "nor is what the batch is a view of";
}

TEST(Measure, PrunedModelsNeedLessMemory) {
  const auto model = test_models::residual_net();
  const auto example = random_input({1, 3, 16, 16});
  const auto masks = test_models::filter_masks(model, {{"block.conv1", {0, 1, 2, 3, 4, 5, 6, 7}}});
  const auto report = speed_up(model, extend_masks(model, masks, example).value(), example);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_LT(peak_activation_bytes(report->model, example).value(), peak_activation_bytes(model, example).value());
}

TEST(Measure, DepthwiseConvolutionAndLayerUsedTwice) {
  Builder build(1);
  auto depthwise = build.conv2d(8, 8, {.kernel = 3, .padding = 1, .groups = 8});
  const auto model = build.net("Net", {{"depthwise", depthwise}},
                               "def forward(self, x):\n  return self.depthwise.forward(self.depthwise.forward(x))\n");
  EXPECT_EQ(macs(model, {1, 8, 4, 4}), (Expected{{"depthwise", 2 * 8 * 9 * 16}}));
}

TEST(Measure, ScriptedAndTracedAgree) {
  const auto folder = std::string(LATHE_TEST_DATA);
  const auto scripted = macs(load_model(folder + "/residual_scripted.pt").value(), {1, 3, 8, 8});
  EXPECT_EQ(scripted, macs(load_model(folder + "/residual_traced.pt").value(), {1, 3, 8, 8}));
  EXPECT_EQ(scripted.at(0).second, 8 * 3 * 9 * 64);
}

TEST(Measure, ExampleThatDoesNotFit) {
  const auto counted = count_macs(test_models::lenet(), random_input({1, 3, 28, 28}));
  ASSERT_FALSE(counted);
  EXPECT_THAT(counted.error().message, HasSubstr("does not run on the example"));
}

TEST(Measure, NonzeroParameters) {
  const auto model = test_models::lenet();
  const auto masks = test_models::filter_masks(model, {{"conv1", {0, 1}}});
  for (auto [name, parameter] : model.named_parameters()) {
    if (name == "conv1.weight") parameter.detach().mul_(masks.at("conv1").weight);
    if (name == "conv1.bias") parameter.detach().mul_(masks.at("conv1").bias);
  }
  EXPECT_EQ(count_nonzero_parameters(model), 431080 - 2 * 26);
}

TEST(Measure, LatencyLeavesTheModelsAlone) {
  auto model = test_models::lenet();
  model.train();
  const auto latency = compare_latency(model, model, random_input({1, 1, 28, 28}), {.runs = 5, .warmup = 1});
  EXPECT_GT(latency.original_ms, 0);
  EXPECT_GT(latency.compressed_ms, 0);
  EXPECT_GE(latency.original_iqr_ms, 0);
  EXPECT_DOUBLE_EQ(latency.speedup, latency.original_ms / latency.compressed_ms);
  EXPECT_LE(latency.speedup_low, latency.speedup_high);
  EXPECT_TRUE(model.is_training());
}

TEST(Measure, ModelsOfOneSessionShareTheOriginalsRuns) {
  const auto model = test_models::lenet();
  const auto found =
      compare_latencies(model, {model, model, model}, random_input({1, 1, 28, 28}), {.runs = 5, .warmup = 1});
  ASSERT_EQ(found.size(), 3U);
  for (const LatencyComparison& each : found) {
    EXPECT_EQ(each.original_ms, found[0].original_ms);
    EXPECT_EQ(each.original_iqr_ms, found[0].original_iqr_ms);
    EXPECT_DOUBLE_EQ(each.speedup, each.original_ms / each.compressed_ms);
  }
  EXPECT_NE(found[0].compressed_ms, found[1].compressed_ms) << "each has times of its own";
}

TEST(Measure, QuantilesLieBetweenTheValues) {
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(quantile({5, 1, 3}, 0.5), 3);
  EXPECT_DOUBLE_EQ(quantile({7}, 0.9), 7);
  EXPECT_DOUBLE_EQ(quantile({2, 1}, 1), 2);
  EXPECT_EQ(quantile({}, 0.5), 0);
}

TEST(Measure, TheIntervalHoldsTheRatioAndShrinksWithMoreRuns) {
  // Pairs whose noise is common: the ratio of each is 2 within 10 %.
  const auto width = [](std::size_t runs) {
    std::vector<double> original;
    std::vector<double> compressed;
    for (std::size_t i = 0; i < runs; ++i) {
      const double noise = 1 + 0.1 * static_cast<double>(i * 7919 % 101) / 101;
      original.push_back(2 * noise);
      compressed.push_back(1 + 0.1 * static_cast<double>(i * 104729 % 103) / 103);
    }
    const auto [low, high] = ratio_interval(original, compressed, 5);
    EXPECT_EQ(ratio_interval(original, compressed, 5), std::pair(low, high)) << "the same for the same seed";
    EXPECT_LT(low, 2.03);
    EXPECT_GT(high, 1.97);
    return high - low;
  };
  EXPECT_GT(width(10), 2 * width(1000));
  EXPECT_EQ(ratio_interval({3}, {2}, 1), std::pair(1.5, 1.5));
}

TEST(Measure, ASmallerModelIsFaster) {
  Builder build(1);
  auto first = build.linear(1024, 1024);
  auto second = build.linear(1024, 16);
  const auto model =
      build.net("Net", {{"first", first}, {"second", second}},
                "def forward(self, x):\n  return self.second.forward(torch.relu(self.first.forward(x)))\n");
  std::vector<std::int64_t> pruned;
  for (std::int64_t i = 0; i < 960; ++i) pruned.push_back(i);
  const auto example = random_input({64, 1024});
  const auto report = speed_up(model, test_models::filter_masks(model, {{"first", pruned}}), example);
  ASSERT_TRUE(report) << report.error().message;
  const auto latency = compare_latency(model, report->model, example, {.runs = 5, .warmup = 1});
  EXPECT_LT(latency.compressed_ms, latency.original_ms);
}

}  // namespace
}  // namespace lathe::compression
