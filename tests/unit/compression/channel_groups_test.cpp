#include <lathe/compression/channel_groups.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models.hpp"

namespace lathe::compression {
namespace {

using test_models::Builder;
using test_models::random_input;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ChannelGroups, LayersThatAreAddedOrFollowDepthwiseAreTogether) {
  const auto groups = channel_groups(test_models::residual_net(), random_input({2, 3, 16, 16}));
  ASSERT_TRUE(groups) << groups.error().message;
  std::vector<std::vector<std::string>> layers;
  for (const auto& group : *groups) layers.push_back(group.layers);
  EXPECT_THAT(layers, ElementsAre(ElementsAre("stem", "block.conv2", "separable.depthwise"), ElementsAre("block.conv1"),
                                  ElementsAre("separable.pointwise"), ElementsAre("left"), ElementsAre("right"),
                                  ElementsAre("fc")));
  EXPECT_EQ(groups->at(0).channels, 16);
  EXPECT_EQ(groups->at(1).channels, 24);
  for (std::size_t i = 0; i + 1 < groups->size(); ++i) EXPECT_EQ(groups->at(i).cutting, Cutting::Whole) << i;
  EXPECT_EQ(groups->back().cutting, Cutting::Output);
}

TEST(ChannelGroups, WhatSpeedupRefusesIsNamedAndTheRestStillTried) {
  Builder build(1);
  const auto model = build.net("Net",
                               {{"first", build.conv2d(3, 4, {.kernel = 3})},
                                {"second", build.conv2d(4, 6, {.kernel = 3})},
                                {"fc", build.linear(6, 2)}},
                               "def forward(self, x):\n"
                               "  x = torch.relu(self.second.forward(torch.relu(self.first.forward(x))))\n"
                               "  x = torch.cumsum(torch.mean(x, [2, 3]), 1)\n"
                               "  return self.fc.forward(x)\n");
  const auto groups = channel_groups(model, random_input({2, 3, 8, 8}));
  ASSERT_TRUE(groups) << groups.error().message;
  ASSERT_EQ(groups->size(), 3U);
  EXPECT_EQ(groups->at(0).cutting, Cutting::Whole);
  EXPECT_EQ(groups->at(1).cutting, Cutting::Refused);
  EXPECT_THAT(groups->at(1).reason, HasSubstr("cumsum"));
  EXPECT_EQ(groups->at(2).cutting, Cutting::Output);
}

TEST(ChannelGroups, AnExampleThatDoesNotFitIsAnError) {
  const auto groups = channel_groups(test_models::lenet(), random_input({1, 3, 28, 28}));
  ASSERT_FALSE(groups);
  EXPECT_THAT(groups.error().message, HasSubstr("channel groups"));
}

}  // namespace
}  // namespace lathe::compression
