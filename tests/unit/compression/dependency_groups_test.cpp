#include <lathe/compression/dependency_groups.hpp>

#include <algorithm>

#include <gtest/gtest.h>

#include "models.hpp"

namespace lathe::compression {
namespace {

using test_models::Builder;
using test_models::random_input;
using torch::jit::Module;

Module group_norm_net(std::int64_t groups) {
  Builder build(33);
  const auto norm = build.layer("GroupNorm", {{"weight", {12}}, {"bias", {12}}},
                                "def forward(self, x):\n  return torch.group_norm(x, " + std::to_string(groups) +
                                    ", self.weight, self.bias, 1e-5, False)\n");
  return build.net("Net",
                   {{"a", build.conv2d(3, 12, {.kernel = 3, .padding = 1})},
                    {"norm", norm},
                    {"b", build.conv2d(12, 4, {.kernel = 1})}},
                   "def forward(self, x):\n"
                   "  return self.b.forward(torch.relu(self.norm.forward(self.a.forward(x))))\n");
}

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
