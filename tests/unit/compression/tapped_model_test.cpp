#include <lathe/compression/tapped_model.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <lathe/compression/model.hpp>

#include "models.hpp"

namespace lathe::compression {
namespace {

namespace models = test_models;

struct Case {
  std::string name;
  torch::jit::Module model;
  at::Tensor input;
};

std::vector<Case> cases() {
  const std::filesystem::path data = LATHE_TEST_DATA;
  const at::Tensor digits = models::random_input({4, 1, 28, 28});
  const at::Tensor images = models::random_input({4, 3, 16, 16});
  return {{"lenet built", models::lenet(), digits},
          {"residual built", models::residual_net(), images},
          {"lenet scripted", load_model(data / "lenet_scripted.pt").value(), digits},
          {"lenet traced", load_model(data / "lenet_traced.pt").value(), digits},
          {"residual scripted", load_model(data / "residual_scripted.pt").value(), images},
          {"residual traced", load_model(data / "residual_traced.pt").value(), images}};
}

std::vector<at::Tensor> gradients(const torch::jit::Module& model, const at::Tensor& output) {
  std::vector<at::Tensor> parameters;
  for (const at::Tensor& parameter : model.parameters()) parameters.push_back(parameter);
  return torch::autograd::grad({output.pow(2).sum()}, parameters, {}, {}, false, /*allow_unused=*/true);
}

TEST(TappedModel, ComputesWhatTheModelComputesGradientsIncluded) {
  for (auto& [name, model, input] : cases()) {
    SCOPED_TRACE(name);
    model.eval();
    const auto tapped = TappedModel::create(model);
    ASSERT_TRUE(tapped) << tapped.error().message;
    for (int run = 0; run < 3; ++run) {
      const at::Tensor own = model.forward({input}).toTensor();
      const at::Tensor theirs = (*tapped)->forward(input).toTensor();
      EXPECT_TRUE(at::equal(own, theirs)) << (own - theirs).abs().max();
      const auto own_gradients = gradients(model, own);
      const auto their_gradients = gradients(model, theirs);
      for (std::size_t i = 0; i < own_gradients.size(); ++i)
        EXPECT_TRUE(at::allclose(own_gradients[i], their_gradients[i], 1e-4, 1e-5)) << i;  // TorchScript fuses backward
    }
  }
}

TEST(TappedModel, FollowsTheModelIntoTrainingMode) {
  torch::jit::Module model = load_model(std::filesystem::path(LATHE_TEST_DATA) / "residual_scripted.pt").value();
  const at::Tensor input = models::random_input({4, 3, 16, 16});
  const auto tapped = TappedModel::create(model);
  ASSERT_TRUE(tapped) << tapped.error().message;
  model.eval();
  const at::Tensor fixed = (*tapped)->forward(input).toTensor();
  EXPECT_TRUE(at::equal(fixed, (*tapped)->forward(input).toTensor()));
  model.train();
  (void)(*tapped)->forward(input);
  model.eval();
  EXPECT_FALSE(at::equal(fixed, (*tapped)->forward(input).toTensor())) << "batch statistics have moved";
}

TEST(TappedModel, EveryPlaceOfALayerCanBeTapped) {
  for (auto& [name, model, input] : cases()) {
    SCOPED_TRACE(name);
    model.eval();
    auto tapped = TappedModel::create(model);
    ASSERT_TRUE(tapped);
    const std::string layer = name.starts_with("lenet") ? "fc1" : "fc";
    std::map<TapPlace, at::Tensor> seen;
    for (const TapPlace place : {TapPlace::Input, TapPlace::Weight, TapPlace::Bias, TapPlace::Output}) {
      (*tapped)->add_tap(layer, place, [&seen, place](const at::Tensor& tensor) {
        seen[place] = tensor;
        return tensor;
      });
    }
    (void)(*tapped)->forward(input);
    ASSERT_EQ(seen.size(), 4u);
    EXPECT_TRUE(at::allclose(at::linear(seen[TapPlace::Input], seen[TapPlace::Weight], seen[TapPlace::Bias]),
                             seen[TapPlace::Output], 1e-5, 1e-6));
  }
}

TEST(TappedModel, TapsComposeAndCanBeTakenAway) {
  auto model = models::lenet();
  model.eval();
  const at::Tensor input = models::random_input({2, 1, 28, 28});
  auto tapped = TappedModel::create(model);
  ASSERT_TRUE(tapped);
  const at::Tensor before = (*tapped)->forward(input).toTensor();
  const at::Tensor weight = model.attr("fc2").toModule().attr("weight").toTensor();
  std::optional<at::Tensor> last;
  (*tapped)->add_tap("fc2", TapPlace::Weight, [](const at::Tensor& tensor) { return tensor * 2; });
  (*tapped)->add_tap("fc2", TapPlace::Weight, [&](const at::Tensor& tensor) { return *(last = tensor + 1); });
  (void)(*tapped)->forward(input);
  EXPECT_TRUE(at::equal(*last, weight * 2 + 1));
  EXPECT_TRUE(at::equal(model.forward({input}).toTensor(), before)) << "the model itself has no taps";
  (*tapped)->clear_taps("fc2", TapPlace::Weight);
  EXPECT_TRUE(at::equal((*tapped)->forward(input).toTensor(), before));
}

TEST(TappedModel, ListsTheCallsOfLayersWithoutParametersToo) {
  models::Builder builder(0);
  const auto model = builder.net("Net", {{"conv", builder.conv2d(3, 4)}, {"bn", builder.batch_norm2d(4)}},
                                 "def forward(self, x):\n  return self.bn.forward(self.conv.forward(x))\n");
  const auto tapped = TappedModel::create(model);
  ASSERT_TRUE(tapped);
  const auto& calls = (*tapped)->calls();
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].layer, "conv");
  EXPECT_EQ(calls[0].type, "Conv2d");
  EXPECT_EQ(calls[1].layer, "bn");
  EXPECT_EQ(calls[1].input, calls[0].output) << "the batch norm reads what the convolution gives";
}

}  // namespace
}  // namespace lathe::compression
