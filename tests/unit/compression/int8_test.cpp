// Models in int8 against their float simulation.
#include <lathe/compression/int8.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <lathe/compression/evaluate.hpp>
#include <lathe/compression/measure.hpp>

#include "int8_models.hpp"
#include "models.hpp"
#include "temporary_folder.hpp"

namespace lathe::compression {
namespace {

using test_models::all_layers;
using test_models::Builder;
using test_models::calibrated;
using test_models::converted;
using test_models::kByChannel;
using test_models::kByte;
using test_models::kLargeBatch;
using test_models::kSymmetric;
using test_models::operators_of;
using test_models::random_data;
using test_models::relative_difference;

/// One layer, so that the integers can be followed: x is on its grid, so is the weight, and the output.
TEST(Int8, LinearLayerComputesTheSimulationsLevels) {
  const auto model = test_models::linear_net(at::tensor({0.5F, -1.0F, 0.25F, 1.0F, 0.75F, -0.125F}).view({2, 3}));
  const auto data = random_data({3});
  const auto net =
      calibrated(QuantizerKind::Qat, model,
                 {test_models::quantized(model, "fc", {.weight = kSymmetric, .input = kByte, .output = kByte})}, data);
  const Int8Model made = converted(net, data);
  EXPECT_EQ(operators_of(made.model),
            (std::map<std::string, int>{
                {"aten::quantize_per_tensor", 1}, {"quantized::linear", 1}, {"aten::dequantize", 1}}));
  EXPECT_EQ(made.observed_ranges, 0);
  const at::Tensor input = data.slice(0, 32).inputs;
  const auto grids = net.quantization->grids();
  ASSERT_TRUE(grids.has_value());
  const double step = (*grids)[2].grid->scale.front();
  torch::jit::Module copy = made.model;
  const at::Tensor difference = net.run(input) - copy.forward({input}).toTensor();
  EXPECT_LE(difference.abs().max().item().toDouble(), step * 1.001);
  EXPECT_LT(difference.abs().mean().item().toDouble(), step * 0.05);
}

TEST(Int8, LeNetStaysInBytesFromTheFirstLayerToTheLast) {
  const auto model = test_models::lenet();
  const auto data = random_data({1, 28, 28});
  const auto net = calibrated(QuantizerKind::Qat, model, all_layers(model, {.weight = kByte, .input = kByte}), data);
  const Int8Model made = converted(net, data);
  const auto operators = operators_of(made.model);
  EXPECT_EQ(operators.at("aten::quantize_per_tensor"), 1);
  EXPECT_EQ(operators.at("aten::dequantize"), 1);
  EXPECT_EQ(operators.at("quantized::conv2d_relu"), 2);
  EXPECT_EQ(operators.at("quantized::linear_relu"), 1);
  EXPECT_EQ(operators.at("quantized::linear"), 1);
  EXPECT_EQ(made.layers.size(), 4U);
  EXPECT_TRUE(std::all_of(made.layers.begin(), made.layers.end(), [](const Int8Step& step) { return step.int8; }));
  ASSERT_EQ(made.operators.size(), 1U);
  EXPECT_NE(made.operators[0].name.find("log_softmax"), std::string::npos);
  EXPECT_EQ(made.observed_ranges, 1);  // fc2's output
  EXPECT_LT(relative_difference(net, made, data.slice(0, 16).inputs), 0.02);
}

/// A quantized kernel spends more time on being called than fc2, of 5,000 weights, on computing.
TEST(Int8, SmallLinearLayersStayFloatUnlessTheBatchIsLarge) {
  const auto model = test_models::lenet();
  const auto data = random_data({1, 28, 28});
  const auto net = calibrated(QuantizerKind::Qat, model, all_layers(model, {.weight = kByte, .input = kByte}), data);
  const Int8Model single = converted(net, data, {2, 16, {}, 1});
  ASSERT_EQ(single.layers.size(), 4U);
  EXPECT_FALSE(single.layers[3].int8);
  EXPECT_EQ(single.layers[3].reason, "it is so small that it takes less time in float");
  EXPECT_TRUE(std::all_of(single.layers.begin(), single.layers.end() - 1, [](const auto& step) { return step.int8; }));
  const auto operators = operators_of(single.model);
  EXPECT_EQ(operators.at("aten::linear"), 1);
  EXPECT_EQ(operators.at("aten::dequantize"), 1);
  EXPECT_EQ(single.observed_ranges, 0);  // fc2's output is on no grid
  EXPECT_LT(relative_difference(net, single, data.slice(0, 16).inputs), 0.02);
  EXPECT_FALSE(converted(net, data, {2, 16, {}, 50}).layers[3].int8);  // 250,000 products
  EXPECT_TRUE(converted(net, data, {2, 16, {}, 51}).layers[3].int8);
}

/// The rows of a sequence count as records do.
TEST(Int8, ALinearLayerOverSequencesIsLargerThanItsWeight) {
  Builder build(0);
  const auto model = build.net("Net", {{"wide", build.linear(8, 4096)}, {"narrow", build.linear(4096, 4)}},
                               "def forward(self, x):\n  return self.narrow.forward(self.wide.forward(x))\n");
  const auto float_layers = [&](const std::vector<std::int64_t>& record) {
    const auto data = random_data(record);
    const auto net =
        calibrated(QuantizerKind::Qat, model, all_layers(model, {.weight = kSymmetric, .input = kByte}), data);
    const Int8Model made = converted(net, data, {2, 16, {}, 1});
    return std::count_if(made.layers.begin(), made.layers.end(), [](const auto& step) { return !step.int8; });
  };
  EXPECT_EQ(float_layers({7, 8}), 1);   // narrow: 7 * 16,384 products; wide has too many weights to be small
  EXPECT_EQ(float_layers({16, 8}), 0);  // 16 * 16,384 > 250,000
}

/// Depthwise and residual, batch norms, a concatenation and a mean, by every quantizer that has integers.
class Int8Quantizers : public testing::TestWithParam<QuantizerKind> {};

TEST_P(Int8Quantizers, ResidualNetAgreesWithItsSimulation) {
  const auto model = test_models::residual_net();
  const auto data = random_data({3, 16, 16});
  const QuantTarget target = GetParam() == QuantizerKind::Naive ? QuantTarget{.weight = kSymmetric}
                                                                : QuantTarget{.weight = kSymmetric, .input = kByte};
  const auto net = calibrated(GetParam(), model, all_layers(model, target), data);
  const Int8Model made = converted(net, data);
  const auto operators = operators_of(made.model);
  EXPECT_FALSE(operators.contains("aten::batch_norm"));
  EXPECT_EQ(operators.at("aten::relu"), 1);  // behind the concatenation
  EXPECT_FALSE(operators.contains("aten::conv2d"));
  EXPECT_EQ(operators.at("quantized::cat"), 1);
  // Pools that stay float for the sake of a finer grid have a border of their own.
  EXPECT_EQ(operators.at("aten::quantize_per_tensor"), 1 + static_cast<int>(made.operators.size()));
  EXPECT_LT(relative_difference(net, made, data.slice(0, 16).inputs), 0.1);
  EXPECT_LT(made.mean_difference, 0.02 * net.run(data.slice(0, 16).inputs).abs().max().item<double>());
}

INSTANTIATE_TEST_SUITE_P(All, Int8Quantizers,
                         testing::Values(QuantizerKind::Naive, QuantizerKind::Qat, QuantizerKind::Observer,
                                         QuantizerKind::Lsq));

/// A convolution of one channel, so that weights can be compared with the user's scheme.
TEST(Int8, WeightsKeepTheUsersSchemeUnlessItHasAZeroPoint) {
  const auto model = test_models::lenet();
  model.attr("fc1").toModule().attr("weight").toTensor().detach().add_(0.01F);  // an affine grid has its zero aside
  const auto data = random_data({1, 28, 28});
  const auto scheme_of = [&](const QuantSpec& spec) {
    const auto net = calibrated(QuantizerKind::Qat, model, all_layers(model, {.weight = spec, .input = kByte}), data);
    const Int8Model made = converted(net, data);
    torch::jit::Stack stack{made.model.attr("packed_2")};
    c10::Dispatcher::singleton().findSchemaOrThrow("quantized::linear_unpack", "").callBoxed(&stack);
    const at::Tensor weight = stack.at(0).toTensor();
    EXPECT_EQ(weight.scalar_type(), at::kQInt8);
    return weight.qscheme();
  };
  EXPECT_EQ(scheme_of(kSymmetric), at::kPerTensorAffine);
  EXPECT_EQ(scheme_of(kByChannel), at::kPerChannelAffine);
  EXPECT_EQ(scheme_of(kByte), at::kPerChannelAffine);
}

TEST(Int8, OtherWidthsStayFloatAndAreListed) {
  const auto model = test_models::lenet();
  const auto data = random_data({1, 28, 28});
  auto layers = all_layers(model, {.weight = kByte, .input = kByte});
  layers[1].target.weight->bits = 12;
  layers[2].target.input->scheme = QuantScheme::PerChannelAffine;
  layers.pop_back();
  const auto net = calibrated(QuantizerKind::Qat, model, layers, data);
  const Int8Model made = converted(net, data);
  ASSERT_EQ(made.layers.size(), 4U);
  EXPECT_TRUE(made.layers[0].int8);
  EXPECT_EQ(made.layers[1].reason, "its weight has 12 bits");
  EXPECT_EQ(made.layers[2].reason, "its input has a scale for each channel");
  EXPECT_EQ(made.layers[3].reason, "its weight is not quantized");
  EXPECT_LT(relative_difference(net, made, data.slice(0, 16).inputs), 0.02);
}

TEST(Int8, NothingToRunIsAnErrorWithTheReasons) {
  const auto model = test_models::linear_net(at::tensor({0.5F, -1.0F, 0.25F}).view({1, 3}));
  const auto data = random_data({3});
  QuantSpec twelve = kByte;
  twelve.bits = 12;
  const auto net = calibrated(QuantizerKind::Qat, model,
                              {test_models::quantized(model, "fc", {.weight = twelve, .input = kByte})}, data);
  const auto made = to_int8(*net.tapped, *net.quantization, data, {});
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().message, "int8: no layer can run in int8 (layer `fc`: its weight has 12 bits)");
}

/// oneDNN's fused ReLU cuts at level 0 whatever the zero point: a ReLU whose grid has negative values must not use it.
TEST(Int8, ReluWithANegativeRangeIsStillARelu) {
  Builder build(0);
  const auto model = build.net("Net", {{"conv", build.conv2d(2, 4)}, {"next", build.conv2d(4, 2)}},
                               "def forward(self, x):\n  return self.next.forward(torch.relu(self.conv.forward(x)))\n");
  const auto data = random_data({2, 8, 8});
  for (const QuantSpec& spec : {kSymmetric, kByte}) {
    const auto net =
        calibrated(QuantizerKind::Qat, model, all_layers(model, {.weight = kSymmetric, .input = spec}), data);
    const Int8Model made = converted(net, data);
    EXPECT_EQ(operators_of(made.model).at("quantized::conv2d_relu"), 1);
    EXPECT_LT(relative_difference(net, made, data.slice(0, 16).inputs), 0.03);
  }
}

TEST(Int8, AReducedRangeUses128Levels) {
  const auto model = test_models::lenet();
  const auto data = random_data({1, 28, 28});
  const auto net = calibrated(QuantizerKind::Qat, model, all_layers(model, {.weight = kByte, .input = kByte}), data);
  const Int8Model made = converted(net, data, {2, 16, true, kLargeBatch});
  EXPECT_TRUE(made.reduced_range);
  const double full = (*net.quantization->grids())[1].grid->scale.front();
  for (const auto* node : made.model.get_method("forward").graph()->nodes()) {
    if (node->kind() != c10::Symbol::fromQualString("aten::quantize_per_tensor")) continue;
    EXPECT_NEAR(torch::jit::toIValue(node->input(1))->toDouble(), full * 255 / 127, 1e-9);
  }
  EXPECT_LT(relative_difference(net, made, data.slice(0, 16).inputs), 0.04);
}

TEST(Int8, ASavedModelIsTheSameAndNamesItsEngine) {
  const auto model = test_models::lenet();
  const auto data = random_data({1, 28, 28});
  const auto net =
      calibrated(QuantizerKind::Observer, model, all_layers(model, {.weight = kByte, .input = kByte}), data);
  Int8Model made = converted(net, data);
  const test::TemporaryFolder folder;
  ASSERT_TRUE(save_model(made.model, folder.path() / "int8.pt").has_value());
  const EngineScope engine(made.engine);
  auto loaded = load_model(folder.path() / "int8.pt");
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  const at::Tensor input = data.slice(0, 5).inputs;
  EXPECT_TRUE(at::equal(made.model.forward({input}).toTensor(), loaded->forward({input}).toTensor()));
  EXPECT_EQ(loaded->attr("quantized_engine").toStringRef(), made.engine);
  EXPECT_LT(std::filesystem::file_size(folder.path() / "int8.pt"), 480'000U);  // 431,080 weights
  EXPECT_TRUE(evaluate(*loaded, data, 8).has_value());
}

TEST(Int8, AModelThatChangesItselfIsRefused) {
  Builder build(0);
  auto model = build.net("Net", {{"fc", build.linear(3, 2)}}, "def forward(self, x):\n  return self.fc.forward(x)\n");
  model.register_buffer("calls", at::zeros({1}));
  model.define("def forward2(self, x):\n  self.calls = self.calls + 1\n  return self.fc.forward(x)\n");
  const auto data = random_data({3});
  const auto renamed =
      build.net("Outer", {{"inner", model}}, "def forward(self, x):\n  return self.inner.forward2(x)\n");
  const auto net =
      calibrated(QuantizerKind::Qat, renamed, all_layers(renamed, {.weight = kSymmetric, .input = kByte}), data);
  const auto made = to_int8(*net.tapped, *net.quantization, data, {});
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().message.find("forward uses the module itself"), std::string::npos) << made.error().message;
}

/// Models from Python, scripted (branches on ranks and modes, sizes computed in loops) and traced.
class Int8PythonModels : public testing::TestWithParam<const char*> {};

TEST_P(Int8PythonModels, EveryLayerRunsInInt8) {
  const auto model = load_model(std::filesystem::path(LATHE_TEST_DATA) / GetParam());
  ASSERT_TRUE(model.has_value()) << model.error().message;
  const bool is_lenet = std::string(GetParam()).starts_with("lenet");
  const auto data = is_lenet ? random_data({1, 12, 12}) : random_data({3, 8, 8});
  const auto net =
      calibrated(QuantizerKind::Observer, *model, all_layers(*model, {.weight = kByte, .input = kByte}), data);
  const Int8Model made = converted(net, data);
  for (const Int8Step& step : made.layers) EXPECT_TRUE(step.int8) << step.name << ": " << step.reason;
  const auto operators = operators_of(made.model);
  for (const char* gone : {"aten::batch_norm", "aten::relu6", "aten::dropout", "aten::relu_"})
    EXPECT_FALSE(operators.contains(gone)) << gone;
  const auto without_kernel = std::count_if(made.operators.begin(), made.operators.end(), [](const Int8Step& step) {
    return step.reason == "no int8 kernel is used for it";
  });
  EXPECT_EQ(without_kernel, 1) << "log_softmax, or silu";
  EXPECT_LT(relative_difference(net, made, data.slice(0, 16).inputs), 0.15);
  EXPECT_EQ(torch::jit::Module(made.model).forward({data.slice(0, 7).inputs}).toTensor().size(0), 7);
}

INSTANTIATE_TEST_SUITE_P(All, Int8PythonModels,
                         testing::Values("residual_scripted.pt", "residual_traced.pt", "lenet_scripted.pt",
                                         "lenet_traced.pt"));

TEST(Int8, TheEngineIsNeverQnnpack) {
  const auto engine = int8_engine();
  ASSERT_TRUE(engine.has_value());
  EXPECT_TRUE((std::set<std::string>{"x86", "fbgemm", "onednn"}.contains(*engine)));
}

}  // namespace
}  // namespace lathe::compression
