#include "algorithms/plan.hpp"

#include <map>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;
using compression::PruningMetric;
using ::testing::HasSubstr;
using Sparsities = std::map<std::string, double>;

constexpr std::int64_t kEpochs = 3;

std::vector<compression::Layer> layers() {
  const at::Tensor weight = at::ones({4, 4});
  return {{"conv1", "Conv2d", weight, {}}, {"conv2", "Conv2d", weight, {}},   {"features.0", "Conv2d", weight, {}},
          {"fc1", "Linear", weight, {}},   {"bn", "BatchNorm2d", weight, {}}, {"emb", "Embedding", weight, {}}};
}

Result<Plan> plan(const char* parameters, const char* fixed = "[]") {
  const auto known = layers();
  auto modules = known;
  modules.push_back({"relu1", "ReLU", {}, {}});
  const Json entries = Json::parse(fixed);
  return make_plan(Json::parse(parameters), {known, modules, entries, kEpochs, std::nullopt});
}

const PruningPlan& pruning(const Result<Plan>& plan) {
  return std::get<PruningPlan>(plan->how);
}

Sparsities sparsities(const Result<Plan>& plan) {
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().message);
  Sparsities found;
  if (!plan) return found;
  for (const auto& [layer, target] : pruning(plan).layers) found[layer.name] = target.sparsity;
  return found;
}

TEST(FindAlgorithm, KnowsAllNames) {
  for (const char* name : {"level", "Level", "LevelPruner"}) EXPECT_EQ(find_algorithm(name), Algorithm::Level) << name;
  for (const char* name : {"agp", "AGPPruner", "AGP_Pruner"}) EXPECT_EQ(find_algorithm(name), Algorithm::Agp) << name;
  for (const char* name : {"l1", "l1filter", "L1FilterPruner", "L1NormPruner"}) {
    EXPECT_EQ(find_algorithm(name), Algorithm::L1) << name;
  }
  EXPECT_EQ(name_of(Algorithm::Agp), "agp");
}

TEST(FindAlgorithm, UnknownOnesAreToldWhatThereIs) {
  EXPECT_THAT(find_algorithm("l9").error().message, HasSubstr("level, l1, l2, fpgm, slim"));
  EXPECT_THAT(find_algorithm("l9").error().message, HasSubstr("naive, qat, dorefa, bnn, lsq, observer"));
}

TEST(MakePlan, NestedSpaceWithUnderscoreKeys) {
  const auto result = plan(R"({"prune_method": {"_name": "level", "conv1_sparsity": 0.3, "conv2_sparsity": 0.4}})");
  EXPECT_EQ(sparsities(result), (Sparsities{{"conv1", .3}, {"conv2", .4}}));
  EXPECT_EQ(pruning(result).options.metric, PruningMetric::Level);
  EXPECT_FALSE(pruning(result).schedule);
}

TEST(MakePlan, AnyKeyMayHoldTheAlgorithmAndPlainNamesWorkToo) {
  EXPECT_EQ(sparsities(plan(R"({"whatever": {"_name": "l1", "fc1.sparsity": 0.5}})")), (Sparsities{{"fc1", .5}}));
  EXPECT_EQ(sparsities(plan(R"({"algorithm": "l1", "fc1.sparsity": 0.5})")), (Sparsities{{"fc1", .5}}));
  EXPECT_EQ(sparsities(plan(R"({"_name": "l1", "features.0.sparsity": 0.5})")), (Sparsities{{"features.0", .5}}));
  EXPECT_EQ(sparsities(plan(R"({"_name": "l1", "features_0_sparsity": 0.5})")), (Sparsities{{"features.0", .5}}));
}

TEST(MakePlan, SparsityMeansTheDefaultLayersOfTheAlgorithm) {
  EXPECT_EQ(sparsities(plan(R"({"a": {"_name": "l1", "sparsity": 0.5}})")),
            (Sparsities{{"conv1", .5}, {"conv2", .5}, {"features.0", .5}, {"fc1", .5}}));
  EXPECT_EQ(sparsities(plan(R"({"a": {"_name": "level", "sparsity": 0.5}})")),
            (Sparsities{{"conv1", .5}, {"conv2", .5}, {"features.0", .5}, {"fc1", .5}, {"emb", .5}}));
}

TEST(MakePlan, TheMoreSpecificKeyIsStrongerWhateverTheOrder) {
  EXPECT_EQ(sparsities(plan(R"({"a": {"_name": "l1", "fc1.sparsity": 0.2, "config_list::Conv2d::::sparsity": 0.3,
                                      "sparsity": 0.4}})")),
            (Sparsities{{"conv1", .3}, {"conv2", .3}, {"features.0", .3}, {"fc1", .2}}));
}

TEST(MakePlan, FixedEntriesHaveTheLastWord) {
  EXPECT_EQ(sparsities(plan(R"({"a": {"_name": "l1", "conv1.sparsity": 0.2, "fc1.sparsity": 0.2}})",
                            R"([{"exclude": true, "op_names": ["fc1"]}])")),
            (Sparsities{{"conv1", .2}}));
}

TEST(MakePlan, NniGrammar) {
  EXPECT_EQ(sparsities(plan(R"({"algorithm_name": {"_name": "level", "config_list::default::::sparsity": 0.37}})")),
            (Sparsities{{"conv1", .37}, {"conv2", .37}, {"features.0", .37}, {"fc1", .37}, {"emb", .37}}));
  EXPECT_EQ(sparsities(plan(R"({"a": {"_name": "level", "config_list::Conv2d:Linear::conv2:fc1::sparsity": 0.2}})")),
            (Sparsities{{"conv2", .2}, {"fc1", .2}}));
  EXPECT_EQ(
      sparsities(plan(R"({"a": {"_name": "level", "sparsity": 0.1, "config_list::::conv1:emb::exclude": true}})")),
      (Sparsities{{"conv2", .1}, {"features.0", .1}, {"fc1", .1}}));
}

const compression::AgpSchedule& agp(const Result<Plan>& plan) {
  return std::get<compression::AgpSchedule>(*pruning(plan).schedule);
}

TEST(MakePlan, AgpEndsWithFineTuningUnlessToldOtherwise) {
  const auto by_default = plan(R"({"a": {"_name": "agp", "conv1_sparsity": 0.6}})");
  EXPECT_EQ(sparsities(by_default), (Sparsities{{"conv1", .6}}));
  EXPECT_EQ(agp(by_default).end_epoch, kEpochs);
  EXPECT_EQ(pruning(by_default).options.metric, PruningMetric::Level);

  const auto told = plan(R"({"a": {"_name": "agp", "sparsity": 0.6, "parameter::pruning_algorithm": "l1",
                                   "parameter::num_iterations": 4, "parameter::epochs_per_iteration": 2}})");
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_EQ(pruning(told).options.metric, PruningMetric::L1);
  EXPECT_EQ(agp(told).end_epoch, 8);
  EXPECT_EQ(agp(told).frequency, 2);

  const auto nni1 = plan(R"({"a": {"_name": "agp", "config_list::::conv1::final_sparsity": 0.6,
                                   "config_list::::conv1::initial_sparsity": 0.2, "config_list::::conv1::end_epoch": 5}})");
  ASSERT_TRUE(nni1) << nni1.error().message;
  EXPECT_EQ(pruning(nni1).layers.front().target.initial_sparsity, 0.2);
  EXPECT_EQ(pruning(nni1).layers.front().target.end_epoch, 5);
}

struct BadCase {
  const char* parameters;
  std::vector<const char*> parts;
};

TEST(MakePlan, BadParametersAreNamed) {
  const std::vector<BadCase> cases{
      {R"({"a": {"_name": "l7", "sparsity": 0.5}})", {"l7", "level, l1, l2"}},
      {R"({"a": {"_name": "dorefa"}})", {"dorefa", "selects no"}},
      {R"({"a": {"_name": "qat", "quant_bits": 33}})", {"quant_bits", "33"}},
      {R"({"a": {"_name": "naive", "quant_bits": 4}})", {"quant_bits", "4"}},
      {R"({"a": {"_name": "l1", "quant_bits": 4}})", {"quant_bits"}},
      {R"({"a": {"_name": "l1", "sparsity": 0.5, "parameter::mode": "sideways"}})", {"mode", "dependency_aware"}},
      {R"({"a": {"_name": "apoz", "sparsity": 0.5, "parameter::mode": "group"}})", {"mode", "dependency_aware"}},
      {R"({"a": {"_name": "l1", "sparsity": 0.5, "parameter::group_reduction": "median"}})",
       {"group_reduction", "mean", "max"}},
      {R"({"a": {"_name": "netadapt", "sparsity": 0.5, "parameter::sparsity_per_iteration": 0}})",
       {"sparsity_per_iteration", "0 < x < 1"}},
      {R"({"a": {"_name": 3}})", {"_name", "3", "name"}},
      {R"({"sparsity": 0.5})", {"no parameter names an algorithm"}},
      {R"([1])", {"[1]", "object"}},
      {R"({"a": {"_name": "l1"}, "b": {"_name": "l1"}})", {"a, b"}},
      {R"({"a": {"_name": "l1", "sparsity": 0.5}, "momentum": 0.9})", {"momentum"}},
      {R"({"a": {"_name": "l1", "conv9.sparsity": 0.5}})", {"conv9.sparsity", "\"conv9\"", "conv1"}},
      {R"({"a": {"_name": "l1", "conv1.sparsity": 1.5}})", {"conv1", "sparsity", "1.5", "0 <= s < 1"}},
      {R"({"a": {"_name": "l1", "conv1.size": 1.5}})", {"conv1.size", "LAYER.KEY"}},
      {R"({"a": {"_name": "l1", "bn.sparsity": 0.5}})", {"bn", "BatchNorm2d", "Conv2d"}},
      {R"({"a": {"_name": "l1"}})", {"selects no layer"}},
      {R"({"a": {"_name": "l1", "sparsity": 0.5, "parameter::num_iterations": 3}})", {"l1 has no such argument"}},
      {R"({"a": {"_name": "agp", "sparsity": 0.5, "parameter::foo": 3}})", {"parameter::foo", "num_iterations"}},
      {R"({"a": {"_name": "agp", "sparsity": 0.5, "parameter::num_iterations": 0}})", {"num_iterations", "from 1"}},
      {R"({"a": {"_name": "agp", "sparsity": 0.5, "parameter::pruning_algorithm": "qat"}})", {"level, l1"}},
      {R"({"a": {"_name": "agp", "sparsity": 0.5, "parameter::num_iterations": 3, "parameter::end_epoch": 3}})",
       {"parameter::end_epoch", "keep one"}},
      {R"({"a": {"_name": "level", "config_list::weight::default::::quant_bits": 8}})", {"quantizer"}},
      {R"({"a": {"_name": "level", "config_list::sparsity": 0.5}})", {"config_list::op_types::op_names::key"}},
      {R"({"a": {"_name": "level", "config_list::default::::sparsity": 0.5, "config_list::default::::foo": 1}})",
       {"config_list::default::", "foo"}},
  };
  for (const BadCase& bad : cases) {
    const auto result = plan(bad.parameters);
    ASSERT_FALSE(result) << bad.parameters;
    for (const char* part : bad.parts) EXPECT_THAT(result.error().message, HasSubstr(part)) << bad.parameters;
  }
}

TEST(MakePlan, NamesThatNothingAnswersToAreWarnedOf) {
  const auto result = plan(R"({"a": {"_name": "l1", "sparsity": 0.5}})", R"([{"exclude": true, "op_names": ["fc9"]}])");
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->warnings.size(), 1u);
  EXPECT_THAT(result->warnings[0], HasSubstr("compression.configList[0]"));
  EXPECT_THAT(result->warnings[0], HasSubstr("fc1"));
}

TEST(MakePlan, BadFixedEntriesAreNamed) {
  const auto result = plan(R"({"a": {"_name": "l1", "sparsity": 0.5}})", R"([{"sparsity": 2, "op_names": ["fc1"]}])");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("compression.configList[0]"));
}

// ---- quantizers ----

const QuantizationPlan& quantization(const Result<Plan>& plan) {
  return std::get<QuantizationPlan>(plan->how);
}

TEST(MakePlan, AQuantizersGeneralKeysSpeakOfItsLayersWeightsAndInputs) {
  const auto result = plan(R"({"a": {"_name": "qat", "quant_bits": 8, "conv1.quant_bits": 4}})");
  ASSERT_TRUE(result) << result.error().message;
  const auto& layers = quantization(result).layers;
  ASSERT_EQ(layers.size(), 4u);
  EXPECT_EQ(layers[0].layer.name, "conv1");
  EXPECT_EQ(layers[0].target.weight->bits, 4);
  EXPECT_EQ(layers[1].target.weight->bits, 8);
  EXPECT_TRUE(layers[1].target.input);
  EXPECT_FALSE(layers[1].target.output);
}

TEST(MakePlan, NnisQuantizerGrammar) {
  const auto result = plan(R"({"algorithm_name": {"_name": "qat",
      "config_list::weight:output::Conv2d:Linear::::quant_bits": {"weight": 8, "output": 4}}})");
  ASSERT_TRUE(result) << result.error().message;
  const auto& layers = quantization(result).layers;
  ASSERT_EQ(layers.size(), 4u);
  EXPECT_EQ(layers[0].target.weight->bits, 8);
  EXPECT_EQ(layers[0].target.output->bits, 4);
  EXPECT_FALSE(layers[0].target.input);
}

TEST(MakePlan, LayersWithoutParametersCanBeQuantized) {
  const auto result = plan(R"({"a": {"_name": "qat", "quant_bits": 8, "config_list::output::ReLU::::quant_bits": 8}})");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(quantization(result).layers.back().layer.name, "relu1");
}

// ---- iterative pruners ----

TEST(MakePlan, IterativePrunersHaveNnisArguments) {
  const auto result = plan(R"({"a": {"_name": "AutoCompressPruner", "sparsity": 0.5, "parameter::base_algo": "l2",
      "parameter::num_iterations": 2, "parameter::start_temperature": 50, "parameter::admm_num_iterations": 4}})");
  ASSERT_TRUE(result) << result.error().message;
  const auto& options = std::get<compression::AutoCompressOptions>(std::get<IterativePlan>(result->how).options);
  EXPECT_EQ(options.base_algo, PruningMetric::L2);
  EXPECT_EQ(options.num_iterations, 2);
  EXPECT_EQ(options.annealing.start_temperature, 50);
  EXPECT_EQ(options.admm.num_iterations, 4);
}

TEST(MakePlan, RefusesABaseThatHasToRunTheModel) {
  for (const char* base : {"apoz", "mean_activation", "taylorfo", "slim"}) {
    const auto result =
        plan(fmt::format(R"({{"a": {{"_name": "netadapt", "sparsity": 0.5, "parameter::base_algo": "{}"}}}})", base)
                 .c_str());
    ASSERT_FALSE(result) << base;
    EXPECT_THAT(result.error().message,
                HasSubstr(fmt::format("parameter::base_algo is {}; expected one that goes by weights alone", base)));
  }
}

}  // namespace
}  // namespace lathe::trial
