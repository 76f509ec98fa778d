#include "metrics.hpp"

#include <gtest/gtest.h>

namespace lathe::trial {
namespace {

using proto::ObjectiveConfig;
using proto::ObjectiveMetric;

Metrics metrics_with_drop(double drop) {
  Metrics metrics;
  metrics.accuracy = 0.9;
  metrics.accuracy_drop = drop;
  metrics.sparsity = 0.7;
  metrics.parameters = 1000;
  return metrics;
}

TEST(Objective, IsTheMetricWhileTheDropIsAllowed) {
  EXPECT_DOUBLE_EQ(objective_value(metrics_with_drop(0.5), {ObjectiveMetric::Sparsity, {}}), 0.7);
  EXPECT_DOUBLE_EQ(objective_value(metrics_with_drop(0.02), {ObjectiveMetric::Sparsity, 0.02}), 0.7);
  EXPECT_DOUBLE_EQ(objective_value(metrics_with_drop(-0.1), {ObjectiveMetric::Parameters, 0.0}), 1000);
}

TEST(Objective, BeyondTheDropItRanksBehindByTheExcess) {
  EXPECT_NEAR(objective_value(metrics_with_drop(0.05), {ObjectiveMetric::Sparsity, 0.02}), -0.03, 1e-12);
  EXPECT_NEAR(objective_value(metrics_with_drop(0.05), {ObjectiveMetric::Parameters, 0.02}), 1.03e12, 1);
  const ObjectiveConfig objective{ObjectiveMetric::Sparsity, 0.02};
  EXPECT_GT(objective_value(metrics_with_drop(0.03), objective), objective_value(metrics_with_drop(0.3), objective));
}

TEST(Objective, OfTimeAreLatencyAndSpeedup) {
  EXPECT_TRUE(judges_time({ObjectiveMetric::LatencyMs, {}}));
  EXPECT_TRUE(judges_time({ObjectiveMetric::Speedup, 0.01}));
  EXPECT_FALSE(judges_time({ObjectiveMetric::Accuracy, 0.01}));
  EXPECT_FALSE(judges_time({ObjectiveMetric::Macs, {}}));
}

TEST(Metrics, JsonHasTheDefaultFirst) {
  const auto json = to_json(metrics_with_drop(0.01), {ObjectiveMetric::Accuracy, {}});
  EXPECT_EQ(json.begin().key(), "default");
  EXPECT_EQ(json.at("default"), 0.9);
  EXPECT_EQ(json.size(), 12U);
  Metrics with_int8 = metrics_with_drop(0.01);
  with_int8.int8 = Int8Metrics{0.875, 0.5, 1000, 0.25, 4};
  const auto more = to_json(with_int8, {ObjectiveMetric::Accuracy, {}});
  EXPECT_EQ(more.at("int8_accuracy"), 0.875);
  EXPECT_EQ(more.at("int8_speedup"), 4);
  EXPECT_EQ(more.size(), 17U);
}

}  // namespace
}  // namespace lathe::trial
