#include "search_check.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

proto::SearchSpace space(const char* json) {
  auto parsed = proto::parse_search_space(Json::parse(json));
  EXPECT_TRUE(parsed) << (parsed ? "" : proto::to_string(parsed.error()));
  return parsed.value_or(proto::SearchSpace{});
}

Result<std::vector<std::string>> check(const char* json) {
  const at::Tensor weight = at::ones({4, 4});
  const std::vector<compression::Layer> layers{{"conv0", "Conv2d", weight, {}}, {"conv1", "Conv2d", weight, {}}};
  const Json fixed = Json::array();
  return check_search_space(space(json), {layers, layers, fixed, 2, std::nullopt});
}

constexpr auto kNested = R"({"prune_method": {"_type": "choice", "_value": [
  {"_name": "agp", "conv0_sparsity": {"_type": "uniform", "_value": [0.1, 0.9]},
                   "conv1_sparsity": {"_type": "uniform", "_value": [0.1, 0.9]}},
  {"_name": "level", "conv0_sparsity": {"_type": "uniform", "_value": [0.1, 0.9]},
                     "conv1_sparsity": {"_type": "choice", "_value": [0.01, 0.5, 0.9]}}]}})";

TEST(SearchCheck, CornersHoldEveryOptionAndBothEnds) {
  const auto corners = corner_parameters(space(kNested));
  ASSERT_EQ(corners.size(), 5U);
  EXPECT_EQ(corners[0].dump(), R"({"prune_method":{"_name":"agp","conv0_sparsity":0.1,"conv1_sparsity":0.1}})");
  EXPECT_EQ(corners[4]["prune_method"]["_name"], "level");
  EXPECT_EQ(corners[3]["prune_method"]["conv1_sparsity"], 0.5);
  EXPECT_EQ(corners[4]["prune_method"]["conv1_sparsity"], 0.9);
}

TEST(SearchCheck, ASoundSpacePasses) {
  const auto result = check(kNested);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  EXPECT_TRUE(check(
      R"({"a": {"_type": "choice", "_value": [{"_name": "l1", "sparsity": {"_type": "uniform", "_value": [0, 1]}}]}})"));
}

TEST(SearchCheck, TyposInAnyOptionAreFound) {
  const auto typo = check(R"({"a": {"_type": "choice", "_value": [
      {"_name": "level", "conv0_sparsity": {"_type": "uniform", "_value": [0.1, 0.9]}},
      {"_name": "l1", "covn1_sparsity": {"_type": "uniform", "_value": [0.1, 0.9]}}]}})");
  ASSERT_FALSE(typo);
  EXPECT_THAT(typo.error().message, HasSubstr("covn1_sparsity"));
  EXPECT_THAT(typo.error().message, HasSubstr("conv1"));
}

TEST(SearchCheck, RangesThatLeaveTheAlgorithmsAreFound) {
  const auto wide = check(R"({"a": {"_type": "choice", "_value": [
      {"_name": "l1", "sparsity": {"_type": "uniform", "_value": [0.1, 1.5]}}]}})");
  ASSERT_FALSE(wide);
  EXPECT_THAT(wide.error().message, HasSubstr("0 <= s < 1"));
  EXPECT_FALSE(check(
      R"({"a": {"_type": "choice", "_value": [{"_name": "l1", "sparsity": {"_type": "choice", "_value": [0.5, 1.0]}}]}})"));
}

TEST(SearchCheck, UnknownAlgorithmsAndNoAlgorithm) {
  EXPECT_THAT(check(R"({"a": {"_type": "choice", "_value": [{"_name": "l1", "sparsity": 0.5}, {"_name": "magic"}]}})")
                  .error()
                  .message,
              HasSubstr("magic"));
  EXPECT_THAT(check(R"({"lr": {"_type": "uniform", "_value": [0, 1]}})").error().message,
              HasSubstr("no parameter names an algorithm"));
}

}  // namespace
}  // namespace lathe::trial
