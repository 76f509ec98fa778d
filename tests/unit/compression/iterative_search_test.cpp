#include <lathe/compression/netadapt.hpp>
#include <lathe/compression/sensitivity.hpp>
#include <lathe/compression/simulated_annealing.hpp>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <memory>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/speedup.hpp>

#include "iterative_fixture.hpp"

namespace lathe::compression {
namespace {

using test_iterative::Bench;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

/// One filter of fc1, the largest unit there is, of the 11,070 weights selected.
constexpr double kLargestUnit = 432.0 / 11070;

struct Search {
  const char* name;
  std::function<std::unique_ptr<IterativePruner>(PruningMetric)> make;
};

std::unique_ptr<IterativePruner> netadapt(PruningMetric base) {
  NetAdaptOptions options;
  options.base_algo = base;
  options.sparsity_per_iteration = 0.2;
  return std::make_unique<NetAdapt>(options);
}

std::unique_ptr<IterativePruner> annealing(PruningMetric base) {
  AnnealingOptions options;
  options.base_algo = base;
  return std::make_unique<SimulatedAnnealing>(options);
}

std::unique_ptr<IterativePruner> sensitivity(PruningMetric base) {
  SensitivityOptions options;
  options.base_algo = base;
  options.sparsity_per_iter = 0.25;
  return std::make_unique<Sensitivity>(options);
}

class IterativeSearch : public ::testing::TestWithParam<Search> {};

TEST_P(IterativeSearch, ReachesTheOverallSparsityWithinOneFilter) {
  Bench bench(0.6);
  const auto result = GetParam().make(PruningMetric::L1)->run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  const double reached = test_iterative::zero_share(bench.context.layers);
  EXPECT_GE(reached, 0.6 - 1.0 / 11070);
  EXPECT_LT(reached, 0.6 + kLargestUnit);
  EXPECT_NEAR(result->history.empty() ? 0 : result->history.back().sparsity, reached, kLargestUnit);
  EXPECT_FALSE(result->model);
}

TEST_P(IterativeSearch, ReachesTheOverallSparsityToTheWeight) {
  Bench bench(0.8);
  const auto result = GetParam().make(PruningMetric::Level)->run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(test_iterative::zero_share(bench.context.layers), 8856.0 / 11070);
  EXPECT_GT(test_iterative::accuracy(bench.model), 0.9);
}

TEST_P(IterativeSearch, SpeedUpCutsWhatIsMasked) {
  Bench bench(0.5);
  const auto result = GetParam().make(PruningMetric::L1)->run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  const auto sped_up = speed_up(bench.model, result->masks, bench.context.example);
  ASSERT_TRUE(sped_up) << sped_up.error().message;
  EXPECT_TRUE(sped_up->kept.empty());
  for (const auto& [layer, target] : bench.context.layers) {
    const at::Tensor mask = result->masks.contains(layer.name) ? result->masks.at(layer.name).weight.flatten(1).amax(1)
                                                               : at::ones({layer.weight.size(0)});
    for (const LayerChange& change : sped_up->layers) {
      if (change.layer != layer.name) continue;
      EXPECT_EQ(change.after[0], mask.sum().item<std::int64_t>()) << layer.name;
    }
  }
}

TEST_P(IterativeSearch, TheSameSeedGivesTheSameMasksAndWeights) {
  const auto run = [](std::uint64_t seed) {
    Bench bench(0.5);
    bench.context.seed = seed;
    auto result = GetParam().make(PruningMetric::L1)->run(bench.context);
    EXPECT_TRUE(result) << (result ? "" : result.error().message);
    return std::pair(result ? result->masks : Masks{}, test_iterative::weights_of(bench.model));
  };
  const auto [masks, weights] = run(3);
  const auto [same_masks, same_weights] = run(3);
  EXPECT_TRUE(test_iterative::same_masks(masks, same_masks));
  for (const auto& [name, weight] : weights) EXPECT_TRUE(weight.equal(same_weights.at(name))) << name;
}

TEST_P(IterativeSearch, WhatCannotBeReachedNamesTheLayersLimits) {
  Bench bench(0.99);
  const auto result = GetParam().make(PruningMetric::L1)->run(bench.context);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, AllOf(HasSubstr("0.99"), HasSubstr("conv1 5 of 6 filters"),
                                            HasSubstr("conv2 11 of 12"), HasSubstr("fc1 23 of 24")));
  EXPECT_EQ(bench.evaluations, 0);
}

TEST_P(IterativeSearch, AMetricThatIsNoNumberIsAnError) {
  Bench bench(0.5);
  bench.context.evaluate = [](const Network&) -> Result<double> { return std::numeric_limits<double>::quiet_NaN(); };
  const auto result = GetParam().make(PruningMetric::L1)->run(bench.context);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("finite"));
}

TEST_P(IterativeSearch, StepsAreToldAndAnErrorThereEndsTheRun) {
  Bench bench(0.5);
  std::int64_t told = 0;
  bench.context.intermediate = [&](const IterativeStep& step) -> Result<void> {
    EXPECT_EQ(step.iteration, ++told);
    if (told == 2) return fail("enough");
    return {};
  };
  const auto result = GetParam().make(PruningMetric::L1)->run(bench.context);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("enough"));
  EXPECT_EQ(told, 2);
}

INSTANTIATE_TEST_SUITE_P(All, IterativeSearch,
                         ::testing::Values(Search{"NetAdapt", netadapt}, Search{"SimulatedAnnealing", annealing},
                                           Search{"Sensitivity", sensitivity}),
                         [](const auto& search) { return std::string(search.param.name); });

TEST(NetAdapt, EachStepTakesItsShareFromTheBestLayer) {
  Bench bench(0.4);
  NetAdaptOptions options;
  options.sparsity_per_iteration = 0.1;
  options.finetune_epochs = 0;
  const auto result = NetAdapt(options).run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  std::map<std::string, double> last;
  double sparsity = 0;
  for (const IterativeStep& step : result->history) {
    EXPECT_GT(step.sparsity, sparsity);
    EXPECT_LT(step.sparsity, sparsity + 0.1 + kLargestUnit);
    for (const auto& [layer, share] : step.sparsities) {
      if (layer == step.what) continue;
      EXPECT_EQ(share, last[layer]) << "step " << step.iteration;
    }
    last = step.sparsities;
    sparsity = step.sparsity;
  }
}

TEST(NetAdapt, AStepThatNoLayerHasIsHalved) {
  Bench bench(0.9);
  for (SelectedLayer& selected : bench.context.layers) selected.target.sparsity = 0.9;
  bench.context.layers.pop_back();  // without fc1 no layer has 0.95 of the weights to give
  NetAdaptOptions options;
  options.sparsity_per_iteration = 0.95;
  options.finetune_epochs = 0;
  const auto result = NetAdapt(options).run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_GE(result->history.back().sparsity, 0.9 - 1.0 / 702);
}

TEST(NetAdapt, FinetuningGoesOnFromTheBestCandidate) {
  Bench bench(0.3);
  const auto before = test_iterative::weights_of(bench.model);
  NetAdaptOptions options;
  options.sparsity_per_iteration = 0.15;
  const auto result = NetAdapt(options).run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_FALSE(test_iterative::weights_of(bench.model).at("fc2.weight").equal(before.at("fc2.weight")));
  EXPECT_DOUBLE_EQ(test_iterative::accuracy(bench.model), result->history.back().metric);
}

TEST(AnnealingConformance, D30RescaledSparsities) {
  const auto rescaled = rescale_sparsities({10, 100, 200}, {.6, .2, .4}, .5);
  ASSERT_TRUE(rescaled);
  ASSERT_EQ(rescaled->size(), 3);
  EXPECT_NEAR(rescaled->at(0), .191358, 1e-6);
  EXPECT_NEAR(rescaled->at(1), .382716, 1e-6);
  EXPECT_NEAR(rescaled->at(2), .574074, 1e-6);
  EXPECT_FALSE(rescale_sparsities({10, 10}, {.01, .05}, .5)) << "nothing is pruned";
}

TEST(Annealing, JudgesWithoutChangingTheWeightsAndKeepsTheBest) {
  Bench bench(0.5);
  const auto before = test_iterative::weights_of(bench.model);
  const auto annealed = anneal_sparsities(bench.context, {}, 0.5);
  ASSERT_TRUE(annealed) << annealed.error().message;
  for (const auto& [name, weight] : test_iterative::weights_of(bench.model)) EXPECT_TRUE(weight.equal(before.at(name)));
  EXPECT_EQ(bench.evaluations, 16) << "from 100 to 20 degrees by factors of 0.9";

  const auto result = SimulatedAnnealing({}).run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  double best = 0;
  for (const IterativeStep& step : result->history) best = std::max(best, step.metric);
  EXPECT_DOUBLE_EQ(test_iterative::accuracy(bench.model), best);
}

TEST(Annealing, SparsitiesThatRandomDrawsHardlyMeetAreReached) {
  Bench bench(0.999);
  AnnealingOptions options;
  options.base_algo = PruningMetric::Level;
  options.stop_temperature = 80;
  const auto result = SimulatedAnnealing(options).run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(test_iterative::zero_share(bench.context.layers), 11058.0 / 11070);
}

TEST(Annealing, BadOptionsAreNamed) {
  Bench bench(0.5);
  AnnealingOptions warm;
  warm.stop_temperature = 100;
  AnnealingOptions never;
  never.cool_down_rate = 1;
  for (const auto& [options, part] : std::vector<std::pair<AnnealingOptions, const char*>>{
           {warm, "start_temperature is 100"}, {never, "cool_down_rate is 1"}}) {
    const auto result = SimulatedAnnealing(options).run(bench.context);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr(part));
  }
}

TEST(Sensitivity, RatiosAreScaledToTheirShareAndCapped) {
  // 0.5 * 100 + 0.25 * 200 * 0.5 = 75 of 300 weights are borne; a tenth, 30, is wanted.
  EXPECT_THAT(normalize_ratios({.5, .25}, {100, 200}, {1, .5}, .1),
              ::testing::Pointwise(::testing::DoubleNear(1e-12), {.2, .1}));
  // 0.9 of the small layer would become 1.26, so both shrink by .95 / 1.26.
  EXPECT_THAT(normalize_ratios({.9, .1}, {100, 400}, {1, 1}, .364),
              ::testing::Pointwise(::testing::DoubleNear(1e-12), {.95, .1 * .95 / .9}));
  EXPECT_THAT(normalize_ratios({0, 0}, {100, 400}, {1, 1}, .1), Each(0));
}

TEST(Sensitivity, AnIterationTakesNoMoreThanItsShare) {
  Bench bench(0.5);
  SensitivityOptions options;
  options.finetune_epochs = 0;
  const auto result = Sensitivity(options).run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_GE(result->history.size(), 4);
  double sparsity = 0;
  for (const IterativeStep& step : result->history) {
    EXPECT_THAT(step.sparsity - sparsity, AllOf(Ge(1.0 / 11070), Le(0.1 + kLargestUnit)));
    sparsity = step.sparsity;
  }
}

TEST(Sensitivity, ALayerThatBreaksTheModelIsPrunedLess) {
  Bench bench(0.3);
  // The metric falls as soon as conv2 loses anything.
  const at::Tensor conv2 = bench.context.layers[1].layer.weight;
  bench.context.evaluate = [conv2](const Network&) -> Result<double> {
    return conv2.detach().eq(0).any().item<bool>() ? 0.0 : 1.0;
  };
  SensitivityOptions options;
  options.sparsity_per_iter = 0.3;
  options.finetune_epochs = 0;
  const auto result = Sensitivity(options).run(bench.context);
  ASSERT_TRUE(result) << result.error().message;
  const auto sparsities = result->history.front().sparsities;
  EXPECT_GT(sparsities.at("fc1"), 0.25);
  EXPECT_LT(sparsities.contains("conv2") ? sparsities.at("conv2") : 0, 0.15);
}

}  // namespace
}  // namespace lathe::compression
