#include <lathe/compression/flat_graph.hpp>

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/core/grad_mode.h>

#include <lathe/compression/model.hpp>

#include "models.hpp"

namespace lathe::compression {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using torch::jit::Node;

FlatGraph flatten(const std::string& fixture) {
  auto model = load_model(std::string(LATHE_TEST_DATA) + "/" + fixture + ".pt");
  EXPECT_TRUE(model) << model.error().message;
  auto flat = FlatGraph::of(*model);
  EXPECT_TRUE(flat) << flat.error().message;
  return *flat;
}

const Node* find_node(const torch::jit::Block* block, const std::string& kind) {
  for (const Node* node : block->nodes()) {
    if (node->kind().toQualString() == kind) return node;
    for (const auto* inner : node->blocks())
      if (const Node* found = find_node(inner, kind)) return found;
  }
  return nullptr;
}

std::vector<std::string> layer_names(const FlatGraph& flat) {
  std::vector<std::string> names;
  for (const auto& op : flat.layer_ops()) names.push_back(op.layer);
  return names;
}

class EveryKind : public ::testing::TestWithParam<const char*> {};

TEST_P(EveryKind, ResidualLayersInOrderOfExecution) {
  const auto flat = flatten(GetParam());
  EXPECT_THAT(layer_names(flat), ElementsAre("stem.0", "blocks.0.conv1", "blocks.0.conv2", "blocks.1.conv1",
                                             "blocks.1.conv2", "depthwise", "pointwise", "left", "right", "fc"));
  const auto ops = flat.layer_ops();
  EXPECT_EQ(ops[5].type, "Conv2d");
  EXPECT_EQ(ops[5].groups, 8);
  EXPECT_EQ(ops[5].weight, "depthwise.weight");
  EXPECT_THAT(ops[5].padding, ElementsAre(1, 1));
  EXPECT_THAT(ops[5].stride, ElementsAre(1, 1));
  EXPECT_THAT(ops[5].dilation, ElementsAre(1, 1));
  EXPECT_FALSE(ops[5].transposed);
  EXPECT_EQ(ops[9].type, "Linear");
  EXPECT_TRUE(ops[9].stride.empty());
}

TEST_P(EveryKind, NoCallIsLeft) {
  const auto flat = flatten(GetParam());
  EXPECT_EQ(find_node(flat.graph()->block(), "prim::CallMethod"), nullptr);
  EXPECT_EQ(find_node(flat.graph()->block(), "prim::CallFunction"), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Python, EveryKind, ::testing::Values("residual_scripted", "residual_traced"),
                         [](const auto& parameter) { return std::string(parameter.param); });

TEST(FlatGraph, OriginLeadsToTheMethodOfTheInstance) {
  const auto flat = flatten("residual_scripted");
  const Node* batch_norm = find_node(flat.graph()->block(), "aten::batch_norm");
  ASSERT_NE(batch_norm, nullptr);
  const Origin* origin = flat.origin(batch_norm);
  ASSERT_NE(origin, nullptr);
  EXPECT_EQ(origin->module, "stem.1");
  EXPECT_EQ(origin->node->kind(), batch_norm->kind());
  EXPECT_NE(origin->node->owningGraph(), flat.graph().get());
}

TEST(FlatGraph, AttributePaths) {
  const auto flat = flatten("residual_scripted");
  const Node* batch_norm = find_node(flat.graph()->block(), "aten::batch_norm");
  EXPECT_EQ(flat.attribute_path(batch_norm->namedInput("running_var")), "stem.1.running_var");
  EXPECT_EQ(flat.attribute_path(batch_norm->namedInput("input")), std::nullopt);
  EXPECT_EQ(flat.attribute_path(flat.graph()->inputs()[0]), std::nullopt);
}

TEST(FlatGraph, DescribesByOperatorModuleAndSourceLine) {
  const auto flat = flatten("lenet_scripted");
  EXPECT_THAT(flat.describe(find_node(flat.graph()->block(), "aten::view")),
              HasSubstr("aten::view in the model (make_models.py:"));
  EXPECT_THAT(flat.describe(find_node(flat.graph()->block(), "aten::conv2d")), HasSubstr("aten::conv2d in `conv1`"));
}

TEST(FlatGraph, TransposedConvolutionAndMatrixProducts) {
  test_models::Builder build(1);
  auto up = build.conv2d(4, 2, {.kernel = 2});
  auto out = build.linear(8, 3);
  const auto model = build.net("Net", {{"up", up}, {"out", out}},
                               "def forward(self, x):\n"
                               "  x = torch.conv_transpose2d(x, self.up.weight.transpose(0, 1), None, [2, 2])\n"
                               "  return torch.matmul(x, self.out.weight.t())\n");
  const auto flat = FlatGraph::of(model);
  ASSERT_TRUE(flat) << flat.error().message;
  const auto ops = flat->layer_ops();
  ASSERT_EQ(ops.size(), 1U) << "a weight that is computed is no layer";
  EXPECT_EQ(ops[0].weight, "out.weight");
}

TEST(FlatGraph, ModelWithoutForward) {
  const torch::jit::Module empty("Empty");
  const auto flat = FlatGraph::of(empty);
  ASSERT_FALSE(flat);
  EXPECT_THAT(flat.error().message, HasSubstr("no method `forward`"));
}

}  // namespace
}  // namespace lathe::compression
