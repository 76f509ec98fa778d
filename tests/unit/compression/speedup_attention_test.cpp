// Attention, written in the ways that it is written: whole heads go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/runtime/operator.h>

#include "masks.hpp"
#include "models.hpp"
#include "speedup_fixture.hpp"

namespace lathe::compression {
namespace {

using test_models::Builder;
using test_models::expect_faithful;
using test_models::filter_masks;
using test_models::is_kept_for;
using test_models::random_input;
using test_models::weight_shapes;
using torch::jit::Module;

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

/// 4 heads of 3 with one query, key and value each; `scores` is added before the softmax.
/// The fused operator, called as the running LibTorch knows it.
std::string fused_operator() {
  const auto is_known = [](const char* name) {
    return !torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString(name)).empty();
  };
  if (is_known("aten::scaled_dot_product_attention"))
    return "torch.scaled_dot_product_attention(q, k, v, None, 0.0, False)";
  if (is_known("aten::_scaled_dot_product_attention"))
    return "torch._scaled_dot_product_attention(q, k, v, None, 0.0, False, False)[0]";
  return {};
}

TEST(SpeedupAttention, FusedOperatorLosesWholeHeads) {
  ASSERT_FALSE(fused_operator().empty()) << "neither 1.13's operator nor that of 2.x";
  Builder build(36);
  const auto heads = [](const std::string& name) {
    return "  " + name + " = self." + name + ".forward(x).view([x.size(0), x.size(1), 4, 3]).transpose(1, 2)\n";
  };
  const auto model =
      build.net("Net",
                {{"q", build.linear(12, 12)},
                 {"k", build.linear(12, 12)},
                 {"v", build.linear(12, 12)},
                 {"proj", build.linear(12, 12)},
                 {"head", build.linear(12, 5)}},
                "def forward(self, x):\n" + heads("q") + heads("k") + heads("v") + "  y = " + fused_operator() +
                    ".transpose(1, 2)\n" + "  y = y.reshape([x.size(0), x.size(1), -1])\n" +
                    "  return self.head.forward(x + self.proj.forward(y))\n");
  // Head 1 in all of them; of head 3 the queries alone, so that it stays.
  const auto masks = filter_masks(model, {{"q", {3, 4, 5, 9, 10, 11}}, {"k", {3, 4, 5}}, {"v", {3, 4, 5}}});
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(expect_faithful(model, masks, random_input({2, 7, 12}), report));
  const auto shapes = weight_shapes(report.model);
  for (const char* name : {"q", "k", "v"}) EXPECT_EQ(shapes.at(name), (Shape{9, 12})) << name;
  EXPECT_EQ(shapes.at("proj"), (Shape{12, 9}));
}

TEST(SpeedupAttention, BiasForEachHeadKeepsThem) {
  Builder build(36);
  const auto attention =
      build.layer("Attention", {{"qkv", {36, 12}}, {"bias", {36}}, {"table", {4, 7, 7}}},
                  "def forward(self, x):\n"
                  "  B, N = x.size(0), x.size(1)\n"
                  "  qkv = torch.linear(x, self.qkv, self.bias).view([B, N, 3, 4, 3]).permute([2, 0, 3, 1, 4])\n"
                  "  a = torch.matmul(qkv[0], qkv[1].transpose(-2, -1)) + torch.relu(self.table)\n"
                  "  return torch.matmul(torch.softmax(a, -1), qkv[2]).transpose(1, 2).reshape([B, N, 12])\n");
  const auto model =
      build.net("Net", {{"a", build.linear(12, 12)}, {"attention", attention}, {"head", build.linear(12, 5)}},
                "def forward(self, x):\n"
                "  return self.head.forward(self.attention.forward(torch.relu(self.a.forward(x))))\n");
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(
      expect_faithful(model, filter_masks(model, {{"a", {3, 7}}}), random_input({2, 7, 12}), report));
  EXPECT_EQ(weight_shapes(report.model).at("a")[0], 10);
  EXPECT_EQ(report.model.attr("attention").toModule().attr("qkv").toTensor().sizes(), (Shape{36, 10}));
}

/// PyTorch's fused encoder layer: the layer between its two linear ones shrinks.
TEST(SpeedupAttention, FusedEncoderLayerLosesHiddenUnits) {
  Builder build(37);
  const auto encoder = build.net(
      "Encoder",
      {{"attention", build.layer("Attention", {{"w", {36, 12}}, {"b", {36}}}, "def forward(self, x):\n  return x")},
       {"out", build.linear(12, 12)},
       {"norm", build.layer("LayerNorm", {{"weight", {12}}, {"bias", {12}}}, "def forward(self, x):\n  return x")},
       {"linear1", build.linear(12, 20)},
       {"linear2", build.linear(20, 12)}},
      "def forward(self, x):\n"
      "  if self.training:\n"
      "    return self.linear2.forward(torch.relu(self.linear1.forward(x)))\n"
      "  return torch._transformer_encoder_layer_fwd(x, 12, 4, self.attention.w, self.attention.b, self.out.weight, "
      "self.out.bias, False, False, 1e-5, self.norm.weight, self.norm.bias, self.norm.weight, self.norm.bias, "
      "self.linear1.weight, self.linear1.bias, self.linear2.weight, self.linear2.bias)\n");
  const auto model = build.net("Net", {{"a", build.linear(5, 12)}, {"encoder", encoder}, {"head", build.linear(12, 4)}},
                               "def forward(self, x):\n"
                               "  return self.head.forward(self.encoder.forward(self.a.forward(x)))\n");
  auto masks = filter_masks(model, {{"a", {0}}, {"encoder.linear1", {0, 1, 2, 8, 19}}});
  masks.at("encoder.linear1").bias = at::Tensor();  // what relu makes of the bias is folded
  SpeedupReport report;
  ASSERT_NO_FATAL_FAILURE(expect_faithful(model, masks, random_input({2, 6, 5}), report));
  const auto shapes = weight_shapes(report.model);
  EXPECT_EQ(shapes.at("a")[0], 12);
  EXPECT_EQ(shapes.at("encoder.linear1"), (Shape{15, 12}));
  EXPECT_EQ(shapes.at("encoder.linear2"), (Shape{12, 15}));
  EXPECT_TRUE(is_kept_for(report, "aten::_transformer_encoder_layer_fwd in `encoder`", "fused"));
}

}  // namespace
}  // namespace lathe::compression
