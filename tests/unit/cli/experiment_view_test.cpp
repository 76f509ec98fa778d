#include "output/experiment_view.hpp"

#include <gtest/gtest.h>

#include "output/trial_view.hpp"

namespace lathe::cli {
namespace {

Json experiment_with(Json config, Json counts, double run_duration) {
  return {{"id", "ab12cd34"},
          {"name", "lenet"},
          {"status", "RUNNING"},
          {"config", std::move(config)},
          {"counts", std::move(counts)},
          {"runDuration", run_duration}};
}

TEST(TimeLeft, FollowsThePaceSoFar) {
  const Json experiment =
      experiment_with({{"maxTrialNumber", 16}}, {{"SUCCEEDED", 3}, {"FAILED", 1}, {"RUNNING", 2}}, 40);
  EXPECT_DOUBLE_EQ(time_left(experiment, 0).value(), 120);
  EXPECT_DOUBLE_EQ(time_left(experiment, 4).value(), 132);
}

TEST(TimeLeft, IsUnknownWithoutLimitOrPace) {
  EXPECT_FALSE(time_left(experiment_with({}, {{"SUCCEEDED", 3}}, 40), 0));
  EXPECT_FALSE(time_left(experiment_with({{"maxTrialNumber", 16}}, {{"RUNNING", 2}}, 40), 0));
  EXPECT_FALSE(time_left(Json(), 0));
}

TEST(TimeLeft, TheEarlierLimitCounts) {
  const Json experiment =
      experiment_with({{"maxTrialNumber", 16}, {"maxExperimentDuration", "60s"}}, {{"SUCCEEDED", 4}}, 40);
  EXPECT_DOUBLE_EQ(time_left(experiment, 0).value(), 20);
  EXPECT_DOUBLE_EQ(time_left(experiment, 100).value(), 0);
}

TEST(CountText, NamesOnlyWhatThereIs) {
  EXPECT_EQ(count_text(experiment_with({{"maxTrialNumber", 16}}, {{"SUCCEEDED", 3}, {"FAILED", 1}, {"RUNNING", 2}}, 0)),
            "4/16 trials, 2 running, 1 failed");
  EXPECT_EQ(count_text(Json()), "0 trials");
}

TEST(BestTable, TheOriginalIsTheFirstRow) {
  Json experiment = experiment_with({}, {}, 0);
  experiment["baseline"] = {
      {"accuracy", 0.982}, {"parameters", 431080}, {"macs", 2293000}, {"size_bytes", 1730000}, {"latency_ms", 0.4}};
  const Json trial = {{"id", "Ab3xY"},
                      {"sequence", 7},
                      {"metric", 0.9714},
                      {"parameters", {{"algorithm", {{"_name", "l1"}, {"conv1.sparsity", 0.5}}}}},
                      {"finalMetric",
                       {{"default", 0.9714},
                        {"accuracy", 0.9714},
                        {"accuracy_drop", 0.0106},
                        {"sparsity", 0.7465},
                        {"parameters", 109295},
                        {"macs", 700000},
                        {"size_bytes", 440000},
                        {"latency_ms", 0.2},
                        {"speedup", 2.0}}}};
  EXPECT_EQ(best_table(experiment, {trial}).draw(Palette(false)),
            "RANK  TRIAL     ID     PARAMETERS             METRIC  ACCURACY   DROP  SPARSITY  PARAMETERS       MACS    "
            "  SIZE   LATENCY  SPEEDUP\n"
            "      original                                          98.20%                      431,080  2,293,000  "
            "1.65 MiB  0.400 ms\n"
            "   1  7         Ab3xY  l1 conv1.sparsity=0.5  0.9714    97.14%  1.06%    74.65%     109,295    700,000   "
            "430 KiB  0.200 ms    2.00x\n");
}

TEST(BestTable, OtherExperimentsShowParametersAndMetric) {
  const Json trial = {
      {"id", "Ab3xY"}, {"sequence", 7}, {"metric", 1.5}, {"finalMetric", 1.5}, {"parameters", {{"x", 2}}}};
  EXPECT_EQ(best_table(experiment_with({}, {}, 0), {trial}).draw(Palette(false)),
            "RANK  TRIAL  ID     PARAMETERS  METRIC\n   1  7      Ab3xY  x=2            1.5\n");
}

TEST(DescribeExperiment, EscapesWhatTheServerSays) {
  Json experiment = experiment_with({}, {}, 0);
  experiment["error"] = "bad\x1b[2J";
  const std::string text = describe_experiment(experiment, Palette(false));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("bad\\x1b[2J"), std::string::npos);
}

TEST(Views, SurviveAnyShape) {
  for (const Json& odd : {Json(), Json(3), Json("x"), Json::array({1}),
                          Json{{"counts", 3}, {"best", {1}}, {"config", "x"}, {"warnings", 7}}}) {
    EXPECT_NO_THROW({
      (void)describe_experiment(odd, Palette(false));
      (void)describe_trial(odd, Palette(false));
      (void)best_table(odd, {odd}).draw(Palette(false));
      (void)trial_table({odd}).draw(Palette(false));
      (void)is_maximized(odd);
    });
  }
}

}  // namespace
}  // namespace lathe::cli
