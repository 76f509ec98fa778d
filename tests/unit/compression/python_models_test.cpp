// Files that Python made of the same weights, one scripted and one traced, are one model to everything that prunes.
#include <map>
#include <string>
#include <tuple>

#include <ATen/ops/allclose.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <lathe/compression/measure.hpp>
#include <lathe/compression/model.hpp>
#include <lathe/compression/pruner.hpp>
#include <lathe/compression/speedup.hpp>

#include "models.hpp"

namespace lathe::compression {
namespace {

struct Net {
  const char* name;
  Shape input;
  const char* output_layer;  ///< not pruned
  int prunable;              ///< layers, the output layer and batch norms apart
};

void PrintTo(const Net& net, std::ostream* stream) {
  *stream << net.name;
}

class PythonModels : public testing::TestWithParam<std::tuple<Net, PruningMetric>> {
 protected:
  static torch::jit::Module load(const char* kind) {
    auto model = load_model(std::string(LATHE_TEST_DATA) + "/" + net().name + "_" + kind + ".pt").value();
    model.eval();
    return model;
  }

  static const Net& net() { return std::get<0>(GetParam()); }
  static at::Tensor example() { return test_models::random_input(net().input); }

  /// 40 % of what the metric counts goes from every layer but the last.
  static Masks masks_of(const torch::jit::Module& model) {
    constexpr double sparsity = 0.4;
    const auto pruner = Pruner::create(std::get<1>(GetParam()));
    Masks masks;
    for (const Layer& layer : layers_of(model)) {
      if (layer.name == net().output_layer || layer.type == "BatchNorm2d") continue;
      masks[layer.name] = pruner->mask(layer, sparsity, nullptr);
    }
    return masks;
  }

  static void expect_equal(const Masks& ours, const Masks& theirs) {
    ASSERT_EQ(ours.size(), theirs.size());
    for (const auto& [layer, mask] : ours) {
      ASSERT_EQ(theirs.count(layer), 1U) << layer;
      EXPECT_TRUE(mask.weight.equal(theirs.at(layer).weight)) << layer;
      EXPECT_EQ(mask.bias.defined(), theirs.at(layer).bias.defined()) << layer;
      if (!mask.bias.defined()) continue;
      EXPECT_TRUE(mask.bias.equal(theirs.at(layer).bias)) << layer;
    }
  }
};

TEST_P(PythonModels, HaveTheSameLayers) {
  const auto scripted = layers_of(load("scripted"));
  const auto traced = layers_of(load("traced"));
  ASSERT_EQ(scripted.size(), traced.size());
  for (std::size_t i = 0; i < scripted.size(); ++i) {
    EXPECT_EQ(scripted[i].name, traced[i].name);
    EXPECT_EQ(scripted[i].type, traced[i].type);
    EXPECT_TRUE(scripted[i].weight.equal(traced[i].weight)) << scripted[i].name;
  }
}

TEST_P(PythonModels, GetTheSameMasks) {
  const auto scripted = load("scripted");
  const auto traced = load("traced");
  const Masks masks = masks_of(scripted);
  ASSERT_EQ(masks.size(), static_cast<std::size_t>(net().prunable));
  expect_equal(masks, masks_of(traced));
  const auto extended = extend_masks(scripted, masks, example());
  const auto extended_traced = extend_masks(traced, masks_of(traced), example());
  ASSERT_TRUE(extended) << extended.error().message;
  ASSERT_TRUE(extended_traced) << extended_traced.error().message;
  expect_equal(*extended, *extended_traced);
}

TEST_P(PythonModels, BecomeTheSameSmallerModel) {
  const auto scripted = load("scripted");
  const auto traced = load("traced");
  const auto smaller = speed_up(scripted, extend_masks(scripted, masks_of(scripted), example()).value(), example());
  const auto smaller_traced = speed_up(traced, extend_masks(traced, masks_of(traced), example()).value(), example());
  ASSERT_TRUE(smaller) << smaller.error().message;
  ASSERT_TRUE(smaller_traced) << smaller_traced.error().message;
  const bool filters_go = Pruner::create(std::get<1>(GetParam()))->structured();
  EXPECT_EQ(count_parameters(smaller->model) < count_parameters(scripted), filters_go);
  std::map<std::string, at::Tensor> weights;
  for (const auto& layer : layers_of(smaller_traced->model)) weights[layer.name] = layer.weight;
  for (const auto& layer : layers_of(smaller->model)) {
    EXPECT_TRUE(layer.weight.equal(weights[layer.name])) << layer.name;
  }
  const c10::NoGradGuard no_grad;
  torch::jit::Module ours = smaller->model;
  torch::jit::Module theirs = smaller_traced->model;
  const at::Tensor outputs = ours.forward({example()}).toTensor();
  EXPECT_TRUE(at::allclose(outputs, theirs.forward({example()}).toTensor(), 1e-6, 1e-6));
}

INSTANTIATE_TEST_SUITE_P(
    ScriptedAndTraced, PythonModels,
    testing::Combine(testing::Values(Net{"lenet", {2, 1, 12, 12}, "fc2", 3}, Net{"residual", {2, 3, 8, 8}, "fc", 9}),
                     testing::Values(PruningMetric::Level, PruningMetric::L1, PruningMetric::L2, PruningMetric::Fpgm)));

}  // namespace
}  // namespace lathe::compression
