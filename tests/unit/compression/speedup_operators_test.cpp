// One family of operators after the other, between layers with random masks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/measure.hpp>

#include "masks.hpp"
#include "models.hpp"
#include "speedup_fixture.hpp"

namespace lathe::compression {
namespace {

using test_models::Builder;
using test_models::ConvOptions;
using test_models::expect_faithful;
using test_models::filter_masks;
using test_models::is_kept_for;
using test_models::random_input;
using test_models::some_filters;
using test_models::weight_shapes;
using torch::jit::Module;

constexpr ConvOptions kPadded{.kernel = 3, .padding = 1};
constexpr ConvOptions kPoint{.kernel = 1};

/// `a` 3 → 12, the body, `b` 12 → 4; the body is TorchScript that makes `y` of `x`, both with 12 channels on axis 1.
struct Body {
  const char* name;
  const char* code;
};

class Between : public ::testing::TestWithParam<Body> {};

TEST_P(Between, WhatIsMaskedGoes) {
  Builder build(21);
  const auto model = build.net("Net", {{"a", build.conv2d(3, 12, kPadded)}, {"b", build.conv2d(12, 4, kPadded)}},
                               std::string("def forward(self, x):\n  x = self.a.forward(x)\n  ") + GetParam().code +
                                   "\n  return self.b.forward(y)\n");
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(
      expect_faithful(model, filter_masks(model, {{"a", {0, 3, 4, 11}}}), random_input({2, 3, 8, 8}), report));
  const auto shapes = weight_shapes(report.model);
  EXPECT_EQ(shapes.at("a")[0], 8);
  EXPECT_EQ(shapes.at("b")[1], 8);
  EXPECT_TRUE(report.kept.empty()) << report.kept[0].place << ": " << report.kept[0].reason;
}

INSTANTIATE_TEST_SUITE_P(
    Operators, Between,
    ::testing::Values(
        Body{"Arithmetic", "y = (x + x * 2.0 - torch.abs(x)) / (torch.sqrt(torch.abs(x) + 1.0))\n  y = y * x"},
        Body{"InPlace", "y = torch.relu_(x.mul_(2.0))"}, Body{"Where", "y = torch.where(x > 0.0, x, x * 0.1)"},
        Body{"ReshapeAndBack", "y = x.reshape([x.size(0), 12, -1]).reshape([x.size(0), 12, x.size(2), x.size(3)])"},
        Body{"ViewWithLiterals", "y = x.view([-1, 12, 64]).view([-1, 12, 8, 8])"},
        Body{"SizeAsNumber", "c = x.size(1)\n  y = x.view([x.size(0), c, 64]).view([x.size(0), c, 8, 8])"},
        Body{"Permute", "y = x.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])"},
        Body{"Transpose", "y = x.transpose(1, 3).relu().transpose(3, 1)"},
        Body{"Unsqueeze", "y = x.unsqueeze(1).relu().squeeze(1)"}, Body{"Flip", "y = x.flip([2]).roll([1], [3])"},
        Body{"SliceOfImage", "y = x[:, :, 1:, :-1]"}, Body{"Pad", "y = torch.constant_pad_nd(x, [1, 1, 0, 2], 0.0)"},
        Body{"MaxPool", "y = torch.max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], False)"},
        Body{"AveragePool", "y = torch.avg_pool2d(x, [3, 3], [1, 1], [1, 1])"},
        Body{"AdaptivePool", "y = torch.adaptive_avg_pool2d(x, [2, 2])"},
        Body{"Upsample", "y = torch.upsample_bilinear2d(x, [12, 12], False)"},
        Body{"MeanOfImage", "y = x - torch.mean(x, [2, 3], True)"},
        Body{"StackAndSum", "y = torch.sum(torch.stack([x, torch.relu(x)], 2), 2)"},
        Body{"StackAndUnbind", "p, q = torch.unbind(torch.stack([x, torch.relu(x)], 0), 0)\n  y = p * q"},
        Body{"CatOfImage", "y = torch.cat([x, torch.relu(x)], 2)"},
        Body{"SplitOfImage", "p, q = torch.split(x, 4, 3)\n  y = p * q"},
        Body{"SoftmaxOfImage", "y = x * torch.softmax(torch.sum(x.flatten(2), [1], True), 2).view([-1, 1, 8, 8])"},
        Body{"SpatialGate", "y = x * torch.sigmoid(torch.sum(x, [1], True))"},
        Body{"Expand", "y = x + torch.mean(x, [2, 3], True).expand([-1, 12, 8, 8])"},
        Body{"ExpandAs", "y = x + torch.mean(x, [2, 3], True).expand_as(x)"},
        Body{"Normalise", "y = x / torch.norm(x, 2, [1], True).clamp_min(1e-6).expand_as(x)"},
        Body{"NumberOfChannels", "y = x / float(x.size(1))"},
        Body{"Branch", "y = x\n  if x.size(1) == 12:\n    y = torch.relu(x)\n  else:\n    y = -x"},
        Body{"Loop", "y = x\n  for i in range(3):\n    y = torch.relu(y) + x"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

// ---- axes of channels ----

TEST(SpeedupOperators, SplitSelectAndConcatenate) {
  Builder build(22);
  const auto model = build.net(
      "Net",
      {{"a", build.conv2d(3, 12, kPoint)}, {"b", build.conv2d(5, 6, kPoint)}, {"c", build.conv2d(14, 4, kPoint)}},
      "def forward(self, x):\n"
      "  x = self.a.forward(x)\n"
      "  p, q = torch.split_with_sizes(x, [5, 7], 1)\n"
      "  return self.c.forward(torch.cat([self.b.forward(p), q, x[:, 10:11]], 1))\n");
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(expect_faithful(model, filter_masks(model, {{"a", {0, 1, 5, 11}}, {"b", {2}}}),
                                          random_input({2, 3, 5, 5}), report));
  const auto shapes = weight_shapes(report.model);
  EXPECT_EQ(shapes.at("a")[0], 8);
  EXPECT_EQ(shapes.at("b"), (Shape{5, 3, 1, 1}));
  EXPECT_EQ(shapes.at("c")[1], 5 + 5 + 1);
}

TEST(SpeedupOperators, ChunksKeepEqualSizes) {
  Builder build(23);
  const auto model = build.net("Net", {{"a", build.conv2d(3, 12, kPoint)}, {"b", build.conv2d(6, 4, kPoint)}},
                               "def forward(self, x):\n"
                               "  p, q = torch.chunk(self.a.forward(x), 2, 1)\n"
                               "  return self.b.forward(p - 2.0 * torch.relu(q))\n");
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(
      expect_faithful(model, filter_masks(model, {{"a", {0, 1, 6, 7, 8}}}), random_input({2, 3, 5, 5}), report));
  EXPECT_EQ(weight_shapes(report.model).at("a")[0], 8);
  EXPECT_EQ(weight_shapes(report.model).at("b")[1], 4);
}

TEST(SpeedupOperators, UnequalChunksAreHeld) {
  Builder build(24);
  const auto model = build.net(
      "Net", {{"a", build.conv2d(3, 12, kPoint)}, {"b", build.conv2d(6, 4, kPoint)}, {"c", build.conv2d(6, 4, kPoint)}},
      "def forward(self, x):\n"
      "  p, q = torch.chunk(self.a.forward(x), 2, 1)\n"
      "  return self.b.forward(p) + self.c.forward(q)\n");
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(
      expect_faithful(model, filter_masks(model, {{"a", {0, 1, 6}}}), random_input({2, 3, 5, 5}), report));
  EXPECT_EQ(weight_shapes(report.model).at("a")[0], 10);
  EXPECT_TRUE(is_kept_for(report, "aten::chunk", "equally many"));
}

TEST(SpeedupOperators, ChannelShuffle) {
  Builder build(25);
  const auto model = build.net(
      "Net",
      {{"a", build.conv2d(3, 6, kPoint)}, {"b", build.conv2d(3, 6, kPoint)}, {"c", build.conv2d(12, 4, kPadded)}},
      "def forward(self, x):\n"
      "  x = torch.cat([self.a.forward(x), self.b.forward(x)], 1)\n"
      "  n, c, h, w = x.size(0), x.size(1), x.size(2), x.size(3)\n"
      "  x = x.view([n, 2, c // 2, h, w]).transpose(1, 2).contiguous().view([n, c, h, w])\n"
      "  return self.c.forward(x)\n");
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(expect_faithful(model, filter_masks(model, {{"a", {1, 2, 4}}, {"b", {1, 4, 5}}}),
                                          random_input({2, 3, 5, 5}), report));
  EXPECT_EQ(weight_shapes(report.model).at("a")[0], 4) << "channels 1 and 4 are masked in both";
  EXPECT_EQ(weight_shapes(report.model).at("c")[1], 8);
  EXPECT_TRUE(is_kept_for(report, "aten::view", "whole slices"));
}

TEST(SpeedupOperators, PixelShuffle) {
  Builder build(26);
  const auto model = build.net("Net", {{"a", build.conv2d(3, 16, kPoint)}, {"b", build.conv2d(4, 2, kPoint)}},
                               "def forward(self, x):\n"
                               "  return self.b.forward(torch.pixel_shuffle(self.a.forward(x), 2))\n");
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(
      expect_faithful(model, filter_masks(model, {{"a", {4, 5, 6, 7, 9}}}), random_input({2, 3, 5, 5}), report));
  EXPECT_EQ(weight_shapes(report.model).at("a")[0], 12);
  EXPECT_EQ(weight_shapes(report.model).at("b")[1], 3);
}

TEST(SpeedupOperators, ShortcutPaddedWithZeroChannels) {
  Builder build(27);
  const auto model = build.net(
      "Net",
      {{"a", build.conv2d(3, 4, kPadded)}, {"b", build.conv2d(4, 8, kPadded)}, {"c", build.conv2d(8, 2, kPadded)}},
      "def forward(self, x):\n"
      "  x = self.a.forward(x)\n"
      "  y = torch.constant_pad_nd(x, [0, 0, 0, 0, 2, 2], 0.0) + self.b.forward(x)\n"
      "  return self.c.forward(torch.relu(y))\n");
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(expect_faithful(model, filter_masks(model, {{"a", {1}}, {"b", {0, 3, 4, 7}}}),
                                          random_input({2, 3, 5, 5}), report));
  const auto shapes = weight_shapes(report.model);
  EXPECT_EQ(shapes.at("a")[0], 3);
  EXPECT_EQ(shapes.at("b"), (Shape{5, 3, 3, 3}));
  EXPECT_EQ(shapes.at("c")[1], 5);
}

TEST(SpeedupOperators, GatedLinearUnit) {
  Builder build(28);
  const auto model = build.net("Net", {{"a", build.linear(5, 12)}, {"b", build.linear(6, 3)}},
                               "def forward(self, x):\n  return self.b.forward(torch.glu(self.a.forward(x), -1))\n");
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(
      expect_faithful(model, filter_masks(model, {{"a", {1, 2, 7, 8, 9}}}), random_input({4, 5}), report));
  EXPECT_EQ(weight_shapes(report.model).at("a")[0], 8);
}

// ---- what is not understood is kept ----

TEST(SpeedupOperators, UnknownOperatorKeepsItsChannelsAndTheRestGoes) {
  Builder build(29);
  const auto odd =
      build.net("Odd", {}, "def forward(self, x):\n  return torch.celu(torch.trapz(torch.stack([x, x], 4)))\n");
  const auto model = build.net("Net",
                               {{"a", build.conv2d(3, 6, kPadded)},
                                {"odd", odd},
                                {"b", build.conv2d(6, 8, kPadded)},
                                {"c", build.conv2d(8, 2, kPadded)}},
                               "def forward(self, x):\n"
                               "  x = self.odd.forward(self.a.forward(x))\n"
                               "  return self.c.forward(torch.relu(self.b.forward(x)))\n");
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(
      expect_faithful(model, filter_masks(model, {{"a", {0, 1}}, {"b", {3}}}), random_input({2, 3, 5, 5}), report));
  EXPECT_EQ(weight_shapes(report.model).at("a")[0], 6);
  EXPECT_EQ(weight_shapes(report.model).at("b")[0], 7);
  EXPECT_TRUE(is_kept_for(report, "aten::trapz in `odd`", "does not understand"));
}

TEST(SpeedupOperators, SharedCodeWithOneNumberForTwoSizesKeepsThem) {
  Builder build(30);
  const auto fold = build.net("Fold", {}, "def forward(self, x):\n  return x.view([-1, 16])\n");
  const auto model = build.net("Net",
                               {{"conv", build.conv2d(2, 4, kPoint)},
                                {"fold", fold},
                                {"left", build.linear(16, 16)},
                                {"right", build.linear(16, 3)}},
                               "def forward(self, x):\n"
                               "  x = self.left.forward(self.fold.forward(self.conv.forward(x)))\n"
                               "  return self.right.forward(self.fold.forward(x))\n");
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(
      expect_faithful(model, filter_masks(model, {{"conv", {0}}}), random_input({2, 2, 2, 2}), report));
  EXPECT_TRUE(is_kept_for(report, "aten::view in `fold`", "several layers"));
}

}  // namespace
}  // namespace lathe::compression
