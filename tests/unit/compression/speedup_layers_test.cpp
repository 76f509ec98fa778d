// Kinds of layers between layers with random masks: norms, grouped and transposed convolutions, attention, recurrent
// layers, embeddings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/randint.h>
#include <ATen/ops/zeros.h>

#include <lathe/compression/dependency_groups.hpp>
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

/// A layer of 12 channels between two convolutions.
struct LayerCase {
  const char* name;
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> parameters;
  const char* code;
};

class LayerBetween : public ::testing::TestWithParam<LayerCase> {};

TEST_P(LayerBetween, RandomMasks) {
  Builder build(31);
  const auto layer = build.layer(GetParam().name, GetParam().parameters, GetParam().code);
  const auto model =
      build.net("Net", {{"a", build.conv2d(3, 12, kPadded)}, {"layer", layer}, {"b", build.conv2d(12, 4, kPadded)}},
                "def forward(self, x):\n"
                "  x = self.layer.forward(self.a.forward(x))\n"
                "  return self.b.forward(torch.relu(x))\n");
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    auto masks = some_filters(model, {"b", "layer"}, seed);
    const auto example = random_input({2, 3, 8, 8});
    masks = extend_masks(model, masks, example).value();
    SpeedupReport report;
    ASSERT_NO_FATAL_FAILURE(expect_faithful(model, masks, example, report));
    EXPECT_LT(count_parameters(report.model), count_parameters(model));
    const auto shapes = weight_shapes(report.model);
    EXPECT_EQ(shapes.at("a")[0], masks.at("a").bias.sum().item().toInt());
    EXPECT_EQ(shapes.at("b")[1], shapes.at("a")[0]);
    EXPECT_TRUE(report.kept.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Layers, LayerBetween,
    ::testing::Values(
        LayerCase{"InstanceNorm2d",
                  {{"weight", {12}}, {"bias", {12}}},
                  "def forward(self, x):\n"
                  "  return torch.instance_norm(x, self.weight, self.bias, None, None, True, 0.1, 1e-5, False)\n"},
        LayerCase{"PReLU", {{"weight", {12}}}, "def forward(self, x):\n  return torch.prelu(x, self.weight)\n"},
        LayerCase{"Scale",
                  {{"gamma", {12, 1, 1}}, {"beta", {12, 1, 1}}},
                  "def forward(self, x):\n  return x * self.gamma + self.beta * x\n"},
        LayerCase{"ConvTranspose2d",
                  {{"weight", {12, 1, 3, 3}}},
                  "def forward(self, x):\n"
                  "  return torch.conv_transpose2d(x, self.weight, None, [1, 1], [1, 1], [0, 0], 12, [1, 1])\n"},
        LayerCase{"LayerNormOfImage",
                  {{"weight", {8, 8}}, {"bias", {8, 8}}},
                  "def forward(self, x):\n"
                  "  return x * torch.layer_norm(x, [8, 8], self.weight, self.bias, 1e-5, False)\n"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(SpeedupLayers, TransposedAndThreeDimensionalConvolutions) {
  Builder build(32);
  const auto up = build.layer("ConvTranspose3d", {{"weight", {8, 6, 2, 2, 2}}, {"bias", {6}}},
                              "def forward(self, x):\n"
                              "  return torch.conv_transpose3d(x, self.weight, self.bias, [2, 2, 2], [0, 0, 0], "
                              "[0, 0, 0], 1, [1, 1, 1])\n");
  const auto conv = [&](std::int64_t in, std::int64_t out) {
    return build.layer("Conv3d", {{"weight", {out, in, 3, 3, 3}}, {"bias", {out}}},
                       "def forward(self, x):\n"
                       "  return torch.conv3d(x, self.weight, self.bias, [1, 1, 1], [1, 1, 1], [1, 1, 1], 1)\n");
  };
  const auto model = build.net("Net", {{"a", conv(2, 8)}, {"up", up}, {"b", conv(6, 2)}},
                               "def forward(self, x):\n"
                               "  x = torch.relu(self.up.forward(torch.relu(self.a.forward(x))))\n"
                               "  return self.b.forward(x)\n");
  Masks masks = filter_masks(model, {{"a", {0, 5, 6}}});
  masks["up"].weight = at::zeros({8, 6, 2, 2, 2}).fill_(1);
  masks["up"].weight.select(1, 4).zero_();
  masks["up"].bias = at::zeros({6}).fill_(1);
  masks["up"].bias[4] = 0;
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(expect_faithful(model, masks, random_input({2, 2, 3, 4, 4}), report));
  const auto shapes = weight_shapes(report.model);
  EXPECT_EQ(shapes.at("a")[0], 5);
  EXPECT_EQ(shapes.at("up"), (Shape{5, 5, 2, 2, 2}));
  EXPECT_EQ(shapes.at("b")[1], 5);
}

Module group_norm_net(std::int64_t groups) {
  Builder build(33);
  const auto norm = build.layer("GroupNorm", {{"weight", {12}}, {"bias", {12}}},
                                "def forward(self, x):\n  return torch.group_norm(x, " + std::to_string(groups) +
                                    ", self.weight, self.bias, 1e-5, False)\n");
  return build.net("Net",
                   {{"a", build.conv2d(3, 12, kPadded)}, {"norm", norm}, {"b", build.conv2d(12, 4, {.kernel = 1})}},
                   "def forward(self, x):\n"
                   "  return self.b.forward(torch.relu(self.norm.forward(self.a.forward(x))))\n");
}

TEST(SpeedupLayers, GroupNormLosesWholeGroups) {
  const auto model = group_norm_net(4);
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(
      expect_faithful(model, filter_masks(model, {{"a", {0, 3, 4, 5, 9}}}), random_input({2, 3, 6, 6}), report));
  EXPECT_EQ(weight_shapes(report.model).at("a")[0], 9) << "group 1 is gone";
  EXPECT_EQ(weight_shapes(report.model).at("norm")[0], 9);
  ASSERT_TRUE(is_kept_for(report, "aten::group_norm in `norm`", "mean and variance"));
  EXPECT_EQ(report.kept[0].channels, 2);
}

TEST(SpeedupLayers, LayerNormKeepsItsChannelsAndSaysSo) {
  Builder build(34);
  const auto norm = build.layer("LayerNorm", {{"weight", {8}}, {"bias", {8}}},
                                "def forward(self, x):\n"
                                "  return torch.layer_norm(x, [8], self.weight, self.bias, 1e-5, False)\n");
  const auto model = build.net(
      "Net", {{"a", build.linear(5, 8)}, {"norm", norm}, {"b", build.linear(8, 6)}, {"c", build.linear(6, 3)}},
      "def forward(self, x):\n"
      "  x = torch.gelu(self.b.forward(self.norm.forward(self.a.forward(x))))\n"
      "  return self.c.forward(x)\n");
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(
      expect_faithful(model, filter_masks(model, {{"a", {0, 1}}, {"b", {2}}}), random_input({4, 5}), report));
  EXPECT_EQ(weight_shapes(report.model).at("a")[0], 8);
  EXPECT_EQ(weight_shapes(report.model).at("b")[0], 5);
  EXPECT_TRUE(is_kept_for(report, "aten::layer_norm in `norm`", "mean and variance"));
}

// ---- attention: whole heads go ----

/// Self-attention of 4 heads of 3 in a width of 12, written in different ways.
struct AttentionCase {
  const char* name;
  const char* code;
};

class Attention : public ::testing::TestWithParam<AttentionCase> {};

TEST_P(Attention, LosesWholeHeads) {
  Builder build(35);
  const auto attention = build.net("Attention",
                                   {{"q", build.linear(12, 12)},
                                    {"k", build.linear(12, 12)},
                                    {"v", build.linear(12, 12)},
                                    {"qkv", build.linear(12, 36)},
                                    {"proj", build.linear(12, 12)}},
                                   GetParam().code);
  const auto model = build.net("Net", {{"attention", attention}, {"head", build.linear(12, 5)}},
                               "def forward(self, x):\n"
                               "  return self.head.forward(x + self.attention.forward(x))\n");
  // Head 1 in all of them, and a part of head 3, which stays.
  const auto masks = filter_masks(model, {{"attention.q", {3, 4, 5, 9}},
                                          {"attention.k", {3, 4, 5, 9}},
                                          {"attention.v", {3, 4, 5, 10}},
                                          {"attention.qkv", {3, 4, 5, 9, 15, 16, 17, 27, 28, 29}}});
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(expect_faithful(model, masks, random_input({2, 7, 12}), report));
  const auto shapes = weight_shapes(report.model);
  const bool fused = std::string(GetParam().code).find("self.qkv") != std::string::npos;
  EXPECT_EQ(shapes.at("attention.q")[0], fused ? 12 : 9);
  EXPECT_EQ(shapes.at("attention.qkv")[0], fused ? 27 : 36);
  EXPECT_EQ(shapes.at("attention.proj"), (Shape{12, 9}));
}

INSTANTIATE_TEST_SUITE_P(
    Attention, Attention,
    ::testing::Values(
        AttentionCase{"FusedQkv",
                      "def forward(self, x):\n"
                      "  B, N, C = x.size(0), x.size(1), x.size(2)\n"
                      "  qkv = self.qkv.forward(x).reshape([B, N, 3, 4, C // 4]).permute([2, 0, 3, 1, 4])\n"
                      "  q, k, v = qkv[0], qkv[1], qkv[2]\n"
                      "  a = torch.softmax(torch.matmul(q, k.transpose(-2, -1)) * 0.577, -1)\n"
                      "  return self.proj.forward(torch.matmul(a, v).transpose(1, 2).reshape([B, N, C]))\n"},
        AttentionCase{
            "Unbind",
            "def forward(self, x):\n"
            "  B, N, C = x.size(0), x.size(1), x.size(2)\n"
            "  q, k, v = torch.unbind(self.qkv.forward(x).view([B, N, 3, 4, 3]).permute([2, 0, 3, 1, 4]), 0)\n"
            "  a = torch.softmax(torch.matmul(q, k.transpose(-2, -1)) * 0.577, -1)\n"
            "  return self.proj.forward(torch.matmul(a, v).transpose(1, 2).reshape([B, N, -1]))\n"},
        AttentionCase{"BatchedProducts",
                      "def forward(self, x):\n"
                      "  B, N, C = x.size(0), x.size(1), x.size(2)\n"
                      "  q = self.q.forward(x).transpose(0, 1).contiguous().view([N, B * 4, 3]).transpose(0, 1)\n"
                      "  k = self.k.forward(x).transpose(0, 1).contiguous().view([N, B * 4, 3]).transpose(0, 1)\n"
                      "  v = self.v.forward(x).transpose(0, 1).contiguous().view([N, B * 4, 3]).transpose(0, 1)\n"
                      "  m = torch.zeros([1, N, N])\n"
                      "  a = torch.softmax(torch.baddbmm(m, q * 0.577, k.transpose(1, 2)), -1)\n"
                      "  y = torch.bmm(a, v).transpose(0, 1).contiguous().view([N, B, C]).transpose(0, 1)\n"
                      "  return self.proj.forward(y)\n"},
        AttentionCase{"Einsum",
                      "def forward(self, x):\n"
                      "  B, N = x.size(0), x.size(1)\n"
                      "  q = self.q.forward(x).view([B, N, 4, 3])\n"
                      "  k = self.k.forward(x).view([B, N, 4, 3])\n"
                      "  v = self.v.forward(x).view([B, N, 4, 3])\n"
                      "  a = torch.softmax(torch.einsum('bnhd,bmhd->bhnm', [q, k]) * 0.577, -1)\n"
                      "  y = torch.einsum('bhnm,bmhd->bnhd', [a, v])\n"
                      "  return self.proj.forward(y.flatten(2))\n"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

// ---- sequences ----

TEST(SpeedupLayers, EmbeddingAndLstmInputs) {
  Builder build(36);
  const auto embedding = build.layer("Embedding", {{"weight", {20, 8}}},
                                     "def forward(self, x):\n  return torch.embedding(self.weight, x)\n");
  const auto lstm = build.layer("LSTM",
                                {{"w", {24, 10}},
                                 {"u", {24, 6}},
                                 {"c", {24}},
                                 {"d", {24}},
                                 {"w2", {24, 10}},
                                 {"u2", {24, 6}},
                                 {"c2", {24}},
                                 {"d2", {24}}},
                                "def forward(self, x):\n"
                                "  h = torch.zeros([2, x.size(0), 6])\n"
                                "  y, a, b = torch.lstm(x, [h, h], [self.w, self.u, self.c, self.d, self.w2, self.u2, "
                                "self.c2, self.d2], True, 1, "
                                "0.0, False, True, True)\n"
                                "  return y\n");
  const auto model = build.net(
      "Net", {{"embedding", embedding}, {"a", build.linear(8, 10)}, {"lstm", lstm}, {"b", build.linear(12, 3)}},
      "def forward(self, x):\n"
      "  x = torch.sigmoid(self.a.forward(self.embedding.forward(x)))\n"
      "  return self.b.forward(self.lstm.forward(x))\n");
  auto masks = filter_masks(model, {{"a", {0, 4, 9}}});
  masks["embedding"].weight = at::zeros({20, 8}).fill_(1);
  masks["embedding"].weight.narrow(1, 2, 3).zero_();
  const auto example = at::randint(0, 20, {3, 5}, at::kLong);
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(expect_faithful(model, masks, example, report));
  const auto shapes = weight_shapes(report.model);
  EXPECT_EQ(shapes.at("embedding"), (Shape{20, 5}));
  EXPECT_EQ(shapes.at("a"), (Shape{7, 5}));
  EXPECT_EQ(report.model.attr("lstm").toModule().attr("w").toTensor().size(1), 7) << "sigmoid(0) is folded";
  EXPECT_TRUE(report.kept.empty());
}

// ---- options ----

TEST(SpeedupLayers, RoundToKeepsMultiplesAsZeros) {
  const auto model = test_models::residual_net();
  const auto example = random_input({2, 3, 16, 16});
  const auto masks = extend_masks(model, some_filters(model, {"fc"}, 4), example).value();
  SpeedupReport report;
  SpeedupOptions options;
  options.round_to = 4;
  ASSERT_NO_FATAL_FAILURE(expect_faithful(model, masks, example, report, options));
  EXPECT_LT(count_parameters(report.model), count_parameters(model));
  for (const auto& change : report.layers)
    if (change.after.size() > 1 && change.layer != "fc") {
      EXPECT_TRUE(change.after[0] % 4 == 0 || change.after[0] == change.before[0]) << change.layer;
    }
  EXPECT_TRUE(is_kept_for(report, "", "round_to"));
  options.round_to = 0;
  const auto refused = speed_up(model, masks, example, options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("round_to must be at least 1, found 0"));
}

// ---- dependency groups ----

TEST(DependencyGroups, NameWhatGoesTogether) {
  const auto model = test_models::residual_net();
  const auto groups = dependency_groups(model, random_input({2, 3, 16, 16}));
  ASSERT_TRUE(groups) << groups.error().message;
  const auto with = [&](const std::string& layer) {
    return std::find_if(groups->begin(), groups->end(), [&](const DependencyGroup& group) {
      return std::any_of(group.members.begin(), group.members.end(), [&](const GroupMember& member) {
        return member.layer == layer && member.side == LayerSide::Output;
      });
    });
  };
  const auto stem = with("stem");
  ASSERT_NE(stem, groups->end());
  EXPECT_EQ(stem, with("block.conv2"));
  EXPECT_EQ(stem, with("separable.depthwise"));
  EXPECT_EQ(stem->channels, 16);
  EXPECT_EQ(stem->fixed, 0);
  const bool reads = std::any_of(stem->members.begin(), stem->members.end(), [](const GroupMember& member) {
    return member.layer == "separable.pointwise" && member.side == LayerSide::Input && member.channels == 16;
  });
  EXPECT_TRUE(reads);
  ASSERT_NE(with("fc"), groups->end());
  EXPECT_EQ(with("fc")->fixed, 10) << "the model's output";
  EXPECT_EQ(with("left"), with("right")) << "read by one layer";
}

TEST(DependencyGroups, NameWhoHoldsThem) {
  const auto groups = dependency_groups(group_norm_net(4), random_input({2, 3, 6, 6}));
  ASSERT_TRUE(groups) << groups.error().message;
  ASSERT_EQ(groups->front().members.front().layer, "a");
  EXPECT_EQ(groups->front().channels, 4) << "whole groups of 3";
  EXPECT_FALSE(dependency_groups(group_norm_net(4), random_input({2, 5, 6, 6})));
}

}  // namespace
}  // namespace lathe::compression
