#include <lathe/compression/speedup.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/ones_like.h>

#include <lathe/compression/measure.hpp>

#include "masks.hpp"
#include "models.hpp"

namespace lathe::compression {
namespace {

using test_models::Builder;
using test_models::filter_masks;
using test_models::random_filter_masks;
using test_models::random_input;
using test_models::weight_shapes;
using ::testing::AllOf;
using ::testing::HasSubstr;
using torch::jit::Module;

Module load_fixture(const std::string& name) {
  auto model = load_model(std::string(LATHE_TEST_DATA) + "/" + name + ".pt");
  EXPECT_TRUE(model) << model.error().message;
  return *model;
}

at::Tensor outputs(Module model, const at::Tensor& input) {
  model.eval();
  return model.forward({input}).toTensor();
}

/// The largest absolute element.
double largest(const at::Tensor& values) {
  return values.abs().max().item().toDouble();
}

std::map<std::string, at::Tensor> snapshot(const Module& model) {
  std::map<std::string, at::Tensor> values;
  for (const auto& [name, tensor] : model.named_parameters()) values.emplace(name, tensor.detach().clone());
  return values;
}

// ---- properties, for random masks ----

class RandomMasks : public ::testing::TestWithParam<int> {};

TEST_P(RandomMasks, LenetShrinksToItsUnmaskedFilters) {
  const auto model = test_models::lenet();
  const auto masks = random_filter_masks(model, {"fc2"}, static_cast<std::uint64_t>(GetParam()));
  const auto report = speed_up(model, masks, random_input({2, 1, 28, 28}));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_LE(report->max_difference, 1e-5);
  EXPECT_TRUE(report->kept.empty());
  const auto shapes = weight_shapes(report->model);
  for (const auto& [layer, mask] : masks) EXPECT_EQ(shapes.at(layer)[0], mask.bias.sum().item().toInt()) << layer;
  EXPECT_EQ(shapes.at("fc1")[1], 16 * shapes.at("conv2")[0]);
  EXPECT_EQ(shapes.at("fc2"), (Shape{10, shapes.at("fc1")[0]}));
}

TEST_P(RandomMasks, ResidualNetEqualsTheMaskedModel) {
  const auto model = test_models::residual_net();
  const auto masks = random_filter_masks(model, {"fc"}, static_cast<std::uint64_t>(GetParam()));
  const auto example = random_input({2, 3, 16, 16});
  const auto plain = speed_up(model, masks, example);
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_LE(plain->max_difference, 1e-5);
  const auto extended = extend_masks(model, masks, example);
  ASSERT_TRUE(extended) << extended.error().message;
  const auto full = speed_up(model, *extended, example);
  ASSERT_TRUE(full) << full.error().message;
  EXPECT_TRUE(full->kept.empty());
  EXPECT_LE(full->max_difference, 1e-5);
  EXPECT_LT(count_parameters(full->model), count_parameters(plain->model));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomMasks, ::testing::Range(1, 6));

// ---- scripted and traced models from Python ----

class Fixture : public ::testing::TestWithParam<const char*> {};

TEST_P(Fixture, ShrinksAndTrains) {
  const std::string name = GetParam();
  const auto model = load_fixture(name);
  const bool is_lenet = name.starts_with("lenet");
  const auto example =
      random_input(is_lenet ? std::vector<std::int64_t>{2, 1, 12, 12} : std::vector<std::int64_t>{2, 3, 8, 8});
  const auto masks = random_filter_masks(model, {"fc", "fc2", "depthwise"}, 3);
  const auto extended = extend_masks(model, masks, example);
  ASSERT_TRUE(extended) << extended.error().message;
  const auto report = speed_up(model, *extended, example);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->kept.empty());
  EXPECT_LE(report->max_difference, 1e-5);
  EXPECT_LT(2 * count_parameters(report->model), count_parameters(model) * 3 / 2);
  auto copy = copy_model(report->model);
  copy.train();
  copy.forward({example}).toTensor().pow(2).sum().backward();
  for (const auto& [path, parameter] : copy.named_parameters()) {
    EXPECT_TRUE(parameter.is_leaf() && parameter.requires_grad()) << path;
    EXPECT_TRUE(parameter.grad().defined()) << path;
  }
}

INSTANTIATE_TEST_SUITE_P(Python, Fixture,
                         ::testing::Values("lenet_scripted", "lenet_traced", "residual_scripted", "residual_traced"),
                         [](const auto& parameter) { return std::string(parameter.param); });

TEST(Speedup, ClassConstantsFollow) {
  const auto model = load_fixture("residual_scripted");
  const auto example = random_input({2, 3, 8, 8});
  auto masks = filter_masks(model, {{"stem.0", {0, 1}}, {"blocks.0.conv2", {0, 1}}, {"blocks.1.conv2", {0, 1}}});
  masks = extend_masks(model, masks, example).value();
  const auto report = speed_up(model, masks, example);
  ASSERT_TRUE(report) << report.error().message;
  const auto depthwise = report->model.attr("depthwise").toModule();
  EXPECT_EQ(depthwise.attr("groups").toInt(), 6);
  EXPECT_EQ(depthwise.attr("in_channels").toInt(), 6);
  EXPECT_EQ(depthwise.attr("out_channels").toInt(), 6);
  EXPECT_EQ(report->model.attr("pointwise").toModule().attr("in_channels").toInt(), 6);
  const auto block = report->model.attr("blocks").toModule().attr("1").toModule();
  EXPECT_EQ(block.attr("bn2").toModule().attr("num_features").toInt(), 6);
  EXPECT_EQ(block.attr("bn1").toModule().attr("num_features").toInt(), 12);
}

TEST(Speedup, ModelTracedWhileTrainingIsRefused) {
  const auto model = load_fixture("lenet_traced_training");
  const auto report = speed_up(model, filter_masks(model, {{"conv1", {0}}}), random_input({2, 1, 12, 12}));
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, AllOf(HasSubstr("aten::dropout"), HasSubstr("traced while training")));
}

// ---- what stays as it was ----

TEST(Speedup, OriginalIsUntouched) {
  auto model = test_models::residual_net();
  model.train();
  const auto before = snapshot(model);
  const auto report = speed_up(model, random_filter_masks(model, {"fc"}, 1), random_input({2, 3, 16, 16}));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(model.is_training());
  EXPECT_TRUE(report->model.is_training());
  for (const auto& [name, tensor] : model.named_parameters()) {
    EXPECT_TRUE(tensor.equal(before.at(name))) << name;
    EXPECT_TRUE(tensor.requires_grad()) << name;
  }
}

TEST(Speedup, ResultOutlivesTheOriginalAndReloads) {
  const auto example = random_input({2, 1, 28, 28});
  auto small = [&] {
    const auto model = test_models::lenet();
    return speed_up(model, random_filter_masks(model, {"fc2"}, 5), example).value().model;
  }();
  auto reloaded = copy_model(small);
  EXPECT_EQ(largest(outputs(small, example).sub(outputs(reloaded, example))), 0.0);
}

TEST(Speedup, NoMasksChangeNothing) {
  const auto model = test_models::residual_net();
  const auto report = speed_up(model, {}, random_input({2, 3, 16, 16}));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(weight_shapes(report->model), weight_shapes(model));
  EXPECT_EQ(report->max_difference, 0.0);
}

TEST(Speedup, PartialMasksOnlyZeroWeights) {
  const auto model = test_models::lenet();
  Masks masks;
  for (const auto& layer : layers_of(model)) {
    auto mask = at::ones_like(layer.weight.detach());
    mask.view({-1}).slice(0, 0, mask.numel(), 3).zero_();
    masks[layer.name].weight = mask;
  }
  const auto report = speed_up(model, masks, random_input({2, 1, 28, 28}));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(weight_shapes(report->model), weight_shapes(model));
  EXPECT_EQ(count_nonzero_parameters(report->model), 431080 - (167 + 8334 + 133334 + 1667));
}

TEST(Speedup, ChannelsThatNobodyReadsGo) {
  const auto model = test_models::lenet();
  Masks masks;
  masks["fc2"].weight = at::ones_like(model.attr("fc2").toModule().attr("weight").toTensor().detach());
  masks["fc2"].weight.narrow(1, 100, 50).zero_();
  const auto report = speed_up(model, masks, random_input({2, 1, 28, 28}));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(weight_shapes(report->model).at("fc1"), (Shape{450, 800}));
  EXPECT_EQ(weight_shapes(report->model).at("fc2"), (Shape{10, 450}));
}

TEST(Speedup, OutputsKeepTheirChannels) {
  const auto model = test_models::lenet();
  const auto report = speed_up(model, filter_masks(model, {{"fc2", {0, 1, 2}}}), random_input({2, 1, 28, 28}));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(weight_shapes(report->model).at("fc2"), (Shape{10, 500}));
}

// ---- constants ----

TEST(Speedup, UnmaskedBiasIsFolded) {
  const auto model = test_models::lenet();
  auto masks = filter_masks(model, {{"conv1", {0, 1, 2, 3}}, {"fc1", {7}}});
  for (auto& [name, mask] : masks) mask.bias = at::Tensor();
  const auto report = speed_up(model, masks, random_input({2, 1, 28, 28}));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(weight_shapes(report->model).at("conv1")[0], 16);
  EXPECT_EQ(weight_shapes(report->model).at("fc1")[0], 499);
}

TEST(Speedup, ConstantIsTakenFromTheBatchNormBehindALayerWithoutBias) {
  Builder build(2);
  auto first = build.conv2d(3, 8, {.kernel = 3});
  auto second = build.conv2d(8, 4, {.kernel = 3, .bias = false});
  auto norm = build.batch_norm2d(4, true);
  const auto model = build.net("Net", {{"first", first}, {"second", second}, {"norm", norm}},
                               "def forward(self, x):\n"
                               "  x = torch.sigmoid(self.first.forward(x))\n"
                               "  return self.norm.forward(self.second.forward(x))\n");
  const auto report = speed_up(model, filter_masks(model, {{"first", {1, 6}}}), random_input({2, 3, 8, 8}));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(weight_shapes(report->model).at("second"), (Shape{4, 6, 3, 3}));
  EXPECT_TRUE(report->kept.empty());
}

TEST(Speedup, GatedChannelGoesWhenItIsZero) {
  Builder build(4);
  auto conv = build.conv2d(3, 6, {.kernel = 3, .padding = 1});
  auto squeeze = build.conv2d(6, 3, {.kernel = 1});
  auto excite = build.conv2d(3, 6, {.kernel = 1});
  auto head = build.conv2d(6, 2, {.kernel = 3, .padding = 1});
  const auto model = build.net("Net", {{"conv", conv}, {"squeeze", squeeze}, {"excite", excite}, {"head", head}},
                               "def forward(self, x):\n"
                               "  x = torch.relu(self.conv.forward(x))\n"
                               "  g = torch.relu(self.squeeze.forward(torch.adaptive_avg_pool2d(x, [1, 1])))\n"
                               "  return self.head.forward(x * torch.sigmoid(self.excite.forward(g)))\n");
  const auto report = speed_up(model, filter_masks(model, {{"conv", {0, 2}}}), random_input({2, 3, 8, 8}));
  ASSERT_TRUE(report) << report.error().message;
  const auto shapes = weight_shapes(report->model);
  EXPECT_EQ(shapes.at("conv")[0], 4);
  EXPECT_EQ(shapes.at("squeeze"), (Shape{3, 4, 1, 1}));
  EXPECT_EQ(shapes.at("excite"), (Shape{4, 3, 1, 1}));
  EXPECT_EQ(shapes.at("head")[1], 4);
}

// ---- other kinds of layers ----

TEST(Speedup, Convolution1dAndMatrixProducts) {
  Builder build(9);
  auto conv = build.conv1d(2, 8, {.kernel = 3, .padding = 1});
  auto hidden = build.linear(8, 6);
  auto model = build.net("Net", {{"conv", conv}, {"hidden", hidden}, {"out", build.linear(6, 3)}},
                         "def forward(self, x):\n"
                         "  x = torch.relu(self.conv.forward(x)).mean([2])\n"
                         "  h = torch.relu(torch.addmm(self.hidden.bias, x, self.hidden.weight.t()))\n"
                         "  return torch.matmul(h, self.out.weight.t()) + self.out.bias\n");
  const auto report =
      speed_up(model, filter_masks(model, {{"conv", {0, 1, 2}}, {"hidden", {5}}}), random_input({2, 2, 10}));
  ASSERT_TRUE(report) << report.error().message;
  const auto shapes = weight_shapes(report->model);
  EXPECT_EQ(shapes.at("conv"), (Shape{5, 2, 3}));
  EXPECT_EQ(shapes.at("hidden"), (Shape{5, 5}));
  EXPECT_EQ(shapes.at("out"), (Shape{3, 5}));
}

TEST(Speedup, LayerUsedTwice) {
  Builder build(10);
  auto first = build.conv2d(3, 6, {.kernel = 1});
  auto shared = build.conv2d(6, 6, {.kernel = 3, .padding = 1});
  auto head = build.conv2d(6, 2, {.kernel = 1});
  const auto model = build.net("Net", {{"first", first}, {"shared", shared}, {"head", head}},
                               "def forward(self, x):\n"
                               "  x = torch.relu(self.shared.forward(self.first.forward(x)))\n"
                               "  return self.head.forward(torch.relu(self.shared.forward(x)))\n");
  const auto report =
      speed_up(model, filter_masks(model, {{"first", {1, 2}}, {"shared", {2, 3}}}), random_input({2, 3, 6, 6}));
  ASSERT_TRUE(report) << report.error().message;
  const auto shapes = weight_shapes(report->model);
  EXPECT_EQ(shapes.at("shared"), (Shape{5, 5, 3, 3}));
  EXPECT_EQ(shapes.at("first")[0], 5);
  EXPECT_EQ(shapes.at("head")[1], 5);
}

// ---- errors ----

TEST(Speedup, MasksThatDoNotFit) {
  const auto model = test_models::lenet();
  const auto example = random_input({1, 1, 28, 28});
  Masks unknown;
  unknown["conv3"].weight = random_input({2, 2});
  const auto no_layer = speed_up(model, unknown, example);
  ASSERT_FALSE(no_layer);
  EXPECT_THAT(no_layer.error().message, AllOf(HasSubstr("`conv3`"), HasSubstr("nearest: conv1")));
  Masks misshapen;
  misshapen["conv1"].weight = random_input({2, 2});
  const auto no_fit = speed_up(model, misshapen, example);
  ASSERT_FALSE(no_fit);
  EXPECT_THAT(no_fit.error().message,
              AllOf(HasSubstr("`conv1.weight`"), HasSubstr("[20, 1, 5, 5]"), HasSubstr("[2, 2]")));
}

TEST(Speedup, ExampleThatDoesNotFit) {
  const auto model = test_models::lenet();
  const auto report = speed_up(model, {}, random_input({1, 3, 28, 28}));
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("expected input"));
}

}  // namespace
}  // namespace lathe::compression
