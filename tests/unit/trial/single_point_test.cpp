#include "single_point.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::HasSubstr;

Result<Json> point_of(const char* space) {
  return single_point(proto::parse_search_space(Json::parse(space)).value());
}

TEST(SinglePoint, IsWhatATrialWouldGet) {
  const auto point = point_of(R"({"a": {"_type": "choice", "_value": [
      {"_name": "l1", "conv1.sparsity": {"_type": "choice", "_value": [0.5]}, "sparsity": {"_type": "choice", "_value": [0.25]}}]},
      "b": {"_type": "choice", "_value": [3]}})");
  ASSERT_TRUE(point) << point.error().message;
  EXPECT_EQ(*point, Json::parse(R"({"a": {"_name": "l1", "conv1.sparsity": 0.5, "sparsity": 0.25}, "b": 3})"));
}

TEST(SinglePoint, WhatIsToBeChosenIsNamed) {
  const auto range = point_of(R"({"a": {"_type": "choice", "_value": [
      {"_name": "l1", "sparsity": {"_type": "uniform", "_value": [0.1, 0.9]}}]}})");
  ASSERT_FALSE(range);
  EXPECT_THAT(range.error().message, AllOf(HasSubstr("searchSpace.a.sparsity: is a range"), HasSubstr("--parameters")));
  const auto options = point_of(R"({"a": {"_type": "choice", "_value": [1, 2]}})");
  ASSERT_FALSE(options);
  EXPECT_THAT(options.error().message, HasSubstr("searchSpace.a: has 2 options"));
}

}  // namespace
}  // namespace lathe::trial
