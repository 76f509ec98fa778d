#include <lathe/compression/measure.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/speedup.hpp>

#include "masks.hpp"
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

TEST(Measure, ClassicLenet) {
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
  EXPECT_TRUE(model.is_training());
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
