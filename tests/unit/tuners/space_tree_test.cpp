#include "space_tree.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "sample_spaces.hpp"

namespace lathe::tuners {
namespace {

using nlohmann::ordered_json;

TEST(SpaceTree, PutsParentsBeforeChildren) {
  const SpaceTree tree(test::nested_space());
  ASSERT_EQ(tree.size(), 9U);
  for (std::size_t node = 0; node < tree.size(); ++node) {
    const std::size_t parent = tree.nodes()[node].parent;
    EXPECT_TRUE(parent == SpaceTree::kNoParent || parent < node);
  }
}

TEST(SpaceTree, WritesOnlyTheBranchThatWasTaken) {
  const SpaceTree tree(test::nested_space());
  Point point(tree.size(), kAbsent);
  const auto set = [&](const std::string& name, double value) {
    for (std::size_t i = 0; i < tree.size(); ++i) {
      if (tree.nodes()[i].name == name) point[i] = value;
    }
  };
  set("shared", 0.25);
  set("arm", 1);
  set("mode", 0);
  set("w", 0.5);
  set("kind", 1);
  set("v", 0.5);
  EXPECT_EQ(tree.parameters(point).dump(),
            R"({"shared":0.25,"arm":{"_name":"B","mode":{"_name":"m1","w":0.5,"kind":{"_name":"c2","v":2}}}})");
}

TEST(SpaceTree, KeepsConstantsOfAnOption) {
  proto::Choice choice;
  choice.options.push_back({ordered_json{{"_name", "A"}, {"fixed", {1, 2}}}, "A", {test::uniform("x", 0, 1)}});
  const SpaceTree tree({{{"arm", choice}}});
  const ordered_json expected = {{"arm", {{"_name", "A"}, {"fixed", {1, 2}}, {"x", 0.5}}}};
  EXPECT_EQ(tree.parameters({0, 0.5}), expected);
  EXPECT_EQ(tree.read(expected), (Point{0, 0.5}));
}

TEST(SpaceTree, ReadsBackItsSamplesOnEveryLevel) {
  for (const proto::SearchSpace& space : {test::nested_space(), test::finite_nested_space()}) {
    const SpaceTree tree(space);
    RandomStream random(1, 0);
    for (int i = 0; i < 300; ++i) {
      const Point point = tree.canonical(tree.sample(random));
      const Point read = tree.read(tree.parameters(point));
      for (std::size_t node = 0; node < tree.size(); ++node) {
        ASSERT_EQ(is_present(read[node]), is_present(point[node]));
        if (is_present(point[node])) {
          EXPECT_NEAR(read[node], point[node], 1e-12);
        }
      }
    }
  }
}

TEST(SpaceTree, ReadsWhatFitsAndLeavesOutTheRest) {
  const SpaceTree tree(test::nested_space());
  const Point point = tree.read({{"shared", 7}, {"unknown", 1}, {"arm", {{"_name", "A"}, {"x", 0.5}}}});
  EXPECT_FALSE(is_present(point[0]));
  EXPECT_EQ(point[1], 0);
  EXPECT_EQ(point[2], 0.5);
  for (std::size_t node = 3; node < tree.size(); ++node) EXPECT_FALSE(is_present(point[node]));
  for (const ordered_json& nothing : {ordered_json(), ordered_json(3), ordered_json::array({1}), ordered_json("x")}) {
    for (const double value : tree.read(nothing)) EXPECT_FALSE(is_present(value));
  }
}

TEST(SpaceTree, EnumeratesAFiniteSpaceCompletely) {
  const SpaceTree tree(test::finite_nested_space());
  ASSERT_TRUE(tree.is_finite());
  RandomStream random(2, 0);
  Point point = tree.canonical(tree.sample(random));
  const std::string start = tree.parameters(point).dump();
  std::set<std::string> seen;
  do {
    EXPECT_TRUE(seen.insert(tree.parameters(point).dump()).second);
    point = tree.successor(point);
  } while (tree.parameters(point).dump() != start && seen.size() < 100);
  EXPECT_EQ(seen.size(), 12U);
}

TEST(SpaceTree, IsInfiniteWithOneContinuousParameterAnywhere) {
  EXPECT_FALSE(SpaceTree(test::nested_space()).is_finite());
  EXPECT_FALSE(SpaceTree(test::flat_space()).is_finite());
  EXPECT_TRUE(SpaceTree(proto::SearchSpace{}).is_finite());
}

}  // namespace
}  // namespace lathe::tuners
