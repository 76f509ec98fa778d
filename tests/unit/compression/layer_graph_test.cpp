#include <lathe/compression/layer_graph.hpp>

#include <string>
#include <vector>

#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models.hpp"

namespace lathe::compression {
namespace {

using test_models::Builder;
using test_models::random_input;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// `conv1>fc`, by layer, or by type where there is none.
std::vector<std::string> edges(const LayerGraph& graph) {
  const auto name = [&](std::size_t node) {
    return graph.nodes[node].layer.empty() ? graph.nodes[node].type : graph.nodes[node].layer;
  };
  std::vector<std::string> list;
  for (const auto& [from, to] : graph.edges) list.push_back(name(from) + ">" + name(to));
  return list;
}

TEST(LayerGraph, ActivationsNormsAndPoolsLieOnTheEdges) {
  const auto graph = layer_graph(test_models::residual_net(), random_input({2, 3, 8, 8}));
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_THAT(edges(*graph), ElementsAre("input>stem", "stem>block.conv1", "stem>add", "block.conv1>block.conv2",
                                         "block.conv2>add", "add>separable.depthwise",
                                         "separable.depthwise>separable.pointwise", "separable.pointwise>left",
                                         "separable.pointwise>right", "left>cat", "right>cat", "cat>fc", "fc>output"));
  EXPECT_EQ(graph->nodes[1].type, "Conv2d");
  EXPECT_EQ(graph->nodes[1].output, (Shape{2, 16, 8, 8}));
  EXPECT_EQ(graph->nodes.front().output, (Shape{2, 3, 8, 8}));
  EXPECT_EQ(graph->nodes.back().output, (Shape{2, 10}));
}

TEST(LayerGraph, ALayerThatIsCalledTwiceIsTwoNodes) {
  Builder build(1);
  const auto model = build.net("Twice", {{"fc", build.linear(4, 4)}},
                               "def forward(self, x):\n"
                               "  return self.fc.forward(torch.relu_(self.fc.forward(x)))\n");
  const auto graph = layer_graph(model, random_input({1, 4}));
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_THAT(edges(*graph), ElementsAre("input>fc", "fc>fc", "fc>output"));
}

TEST(LayerGraph, BranchesThatMeetInPlaceMeetInOneNode) {
  Builder build(1);
  const auto model = build.net("Sum", {{"a", build.linear(4, 4)}, {"b", build.linear(4, 4)}},
                               "def forward(self, x):\n"
                               "  y = self.a.forward(x)\n"
                               "  y.add_(self.b.forward(x))\n"
                               "  return y\n");
  const auto graph = layer_graph(model, random_input({1, 4}));
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_THAT(edges(*graph), ElementsAre("input>a", "input>b", "a>add", "b>add", "add>output"));
}

TEST(LayerGraph, TransposedWeightsAreStillTheLayers) {
  Builder build(1);
  const auto model = build.net("Root", {},
                               "def forward(self, x):\n"
                               "  return x.matmul(self.weight.t())\n",
                               {{"weight", at::ones({3, 4})}});
  const auto graph = layer_graph(model, random_input({1, 4}));
  ASSERT_TRUE(graph) << graph.error().message;
  ASSERT_EQ(graph->nodes.size(), 3U);
  EXPECT_EQ(graph->nodes[1].layer, "");
  EXPECT_EQ(graph->nodes[1].output, (Shape{1, 3}));
}

TEST(LayerGraph, ExampleThatDoesNotFit) {
  const auto graph = layer_graph(test_models::lenet(), random_input({1, 3, 28, 28}));
  ASSERT_FALSE(graph);
  EXPECT_THAT(graph.error().message, HasSubstr("does not run on the example"));
  const auto times = module_times(test_models::lenet(), random_input({1, 3, 28, 28}));
  ASSERT_FALSE(times);
  EXPECT_THAT(times.error().message, HasSubstr("does not run on the example"));
}

TEST(ModuleTimes, EveryLayerTakesSome) {
  const auto times = module_times(test_models::residual_net(), random_input({1, 3, 8, 8}), 3);
  ASSERT_TRUE(times) << times.error().message;
  for (const char* layer : {"stem", "stem_bn", "block.conv1", "left", "fc"}) {
    ASSERT_TRUE(times->contains(layer)) << layer;
    EXPECT_GT(times->at(layer), 0) << layer;
  }
}

}  // namespace
}  // namespace lathe::compression
