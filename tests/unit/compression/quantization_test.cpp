#include <lathe/compression/quantization.hpp>

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>

#include <lathe/compression/evaluate.hpp>
#include <lathe/compression/quant_folding.hpp>
#include <lathe/compression/quant_grid.hpp>
#include <lathe/compression/trainer.hpp>

#include "models.hpp"
#include "quantizing.hpp"

namespace lathe::compression {
namespace {

using test_models::error_of;
using test_models::linear_net;
using test_models::quantize;
using test_models::Quantized;
using test_models::quantized;
using test_models::relu_net;
using test_models::small_net;
using test_models::values_of;
using test_models::vector_of;
using ::testing::HasSubstr;
using torch::jit::Module;

const QuantSpec kBits4{.bits = 4};
const QuantSpec kInt4PerChannel{4, QuantDtype::Int, QuantScheme::PerChannelSymmetric};

TEST(Quantization, LsqScalesStayPositive) {
  const Module model = linear_net(at::ones({1, 2}));
  auto net = quantize(QuantizerKind::Lsq, model, {quantized(model, "fc", {.weight = kBits4})});
  const at::Tensor scale = net.quantization->extra_parameters().front();
  const float before = scale.item<float>();
  scale.detach().fill_(-3);
  net.quantization->step();
  EXPECT_FLOAT_EQ(scale.item<float>(), before / 2);
}

TEST(Quantization, BnnClipsWeightsAfterEachStep) {
  const Module model = linear_net(vector_of({3, -2, .5F}).view({1, 3}));
  auto net = quantize(QuantizerKind::Bnn, model, {quantized(model, "fc", {.weight = QuantSpec{.bits = 1}})});
  net.quantization->step();
  EXPECT_EQ(values_of(model.attr("fc").toModule().attr("weight").toTensor()), (std::vector<float>{1, -1, .5F}));
}

TEST(Quantization, BnnOutputsAreSignsWhoseGradientIsClipped) {
  const Module model = relu_net();
  auto net = quantize(QuantizerKind::Bnn, model, {quantized(model, "act", {.output = QuantSpec{.bits = 1}})});
  const at::Tensor x = vector_of({-1, .25F, 1, 1.5F}).requires_grad_(true);
  const at::Tensor y = net.run(x);
  EXPECT_EQ(values_of(y), (std::vector<float>{1, 1, 1, 1})) << "ReLU's zero is +1";
  y.sum().backward();
  EXPECT_EQ(values_of(x.grad()), (std::vector<float>{0, 1, 1, 0}));
}

TEST(Quantization, DoReFaGradientGoesThroughTanh) {
  const Module model = linear_net(vector_of({.5F, -1}).view({1, 2}));
  auto net = quantize(QuantizerKind::DoReFa, model, {quantized(model, "fc", {.weight = kBits4})});
  net.run(at::ones({1, 2})).sum().backward();
  const auto gradient = values_of(model.attr("fc").toModule().attr("weight").toTensor().grad());
  const double largest = std::tanh(1.0);
  EXPECT_NEAR(gradient[0], (1 - std::pow(std::tanh(.5), 2)) / largest, 1e-6);
  EXPECT_NEAR(gradient[1], (1 - largest * largest) / largest, 1e-6);
}

TEST(Quantization, ZeroWeightsAreDefinedForEveryQuantizer) {
  for (const QuantizerKind kind : {QuantizerKind::Naive, QuantizerKind::Qat, QuantizerKind::DoReFa, QuantizerKind::Bnn,
                                   QuantizerKind::Lsq, QuantizerKind::Observer}) {
    const QuantSpec spec{.bits = kind == QuantizerKind::Bnn ? 1 : 8};
    for (const float value : test_models::quantized_weight(kind, at::zeros({2, 2}), spec)) {
      EXPECT_TRUE(std::isfinite(value));
    }
  }
}

TEST(Quantization, UncalibratedOutputsPassThroughInEvalMode) {
  const Module model = relu_net();
  auto net = quantize(QuantizerKind::Qat, model, {quantized(model, "act", {.output = kBits4})});
  net.model.eval();
  EXPECT_EQ(values_of(net.run(vector_of({-1, .123F}))), (std::vector<float>{0, .123F}));
  const auto finished = net.quantization->finish();
  ASSERT_FALSE(finished);
  EXPECT_THAT(finished.error().message, HasSubstr("the output of layer `act`"));
}

TEST(Quantization, QatCanBeCalibratedInsteadOfTrained) {
  const Module model = linear_net(at::ones({1, 1}));
  auto net = quantize(QuantizerKind::Qat, model, {quantized(model, "fc", {.input = QuantSpec{}, .start_step = 5})});
  const auto data = Dataset::create(vector_of({-1, 2, .5F, 3}).view({4, 1}), at::zeros({4}, at::kLong), {}).value();
  ASSERT_TRUE(net.quantization->calibrate(Network(net.tapped), data, 1, 10));
  ASSERT_TRUE(net.quantization->finish());
  const auto fields = net.quantization->calibration_config()["fc"];
  EXPECT_EQ(fields["tracked_min_input"], -1);
  EXPECT_EQ(fields["tracked_max_input"], 3);
  net.model.eval();
  const auto expected = fake_quantize(vector_of({.77F}), quant_grid({{-1, 3}}, {}));
  EXPECT_EQ(net.run(vector_of({.77F}).view({1, 1})).item<float>(), expected.item<float>()) << "finish ends the delay";
}

TEST(Quantization, LinearInputsOfRankThreeHaveOneGrid) {
  const Module model = linear_net(at::ones({2, 3}));
  auto net = quantize(QuantizerKind::Qat, model, {quantized(model, "fc", {.input = kInt4PerChannel})});
  (void)net.run(at::randn({2, 5, 3}));
  EXPECT_TRUE(net.quantization->calibration_config()["fc"]["tracked_max_input"].is_number());
}

TEST(Quantization, PerChannelOutputsAreTrackedByDimensionOne) {
  const Module model = relu_net();
  auto net = quantize(QuantizerKind::Qat, model, {quantized(model, "act", {.output = kInt4PerChannel})});
  (void)net.run(vector_of({1, 2, 3, 4, 5, 6, 7, 8}).view({2, 2, 2}));
  EXPECT_EQ(net.quantization->calibration_config()["act"]["tracked_max_output"].dump(), "[6.0,8.0]");
  EXPECT_THROW((void)net.run(at::ones({2, 3, 2})), std::runtime_error) << "another number of channels";
}

Module conv_bn_net(float gamma_of_first = 1.5F) {
  test_models::Builder build(11);
  auto bn = build.batch_norm2d(6, true);
  bn.attr("weight").toTensor().detach()[0] = gamma_of_first;
  bn.attr("weight").toTensor().detach()[1] = -0.7F;
  return build.net("Net", {{"conv", build.conv2d(3, 6)}, {"bn", bn}, {"fc", build.linear(6, 3)}},
                   "def forward(self, x):\n  x = self.bn.forward(self.conv.forward(x))\n"
                   "  return self.fc.forward(torch.mean(torch.relu(x), [2, 3]))\n");
}

TEST(QuantFolding, FindsTheBatchNormThatAloneReadsAConvolution) {
  const auto tapped = TappedModel::create(conv_bn_net()).value();
  const auto pairs = foldable_pairs(*tapped);
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].convolution, "conv");
  EXPECT_EQ(pairs[0].batch_norm, "bn");
  EXPECT_DOUBLE_EQ(pairs[0].statistics.eps, 1e-5);
  EXPECT_EQ(foldable_pairs(*TappedModel::create(test_models::residual_net()).value()).size(), 5u);
  test_models::Builder build(0);
  const Module twice =
      build.net("Net", {{"conv", build.conv2d(3, 4)}, {"bn", build.batch_norm2d(4)}},
                "def forward(self, x):\n  y = self.conv.forward(x)\n  return self.bn.forward(y) + y\n");
  EXPECT_TRUE(foldable_pairs(*TappedModel::create(twice).value()).empty()) << "the sum reads the convolution too";
}

TEST(QuantFolding, TheFoldedConvolutionComputesTheSame) {
  Module model = conv_bn_net();
  model.eval();
  const auto tapped = TappedModel::create(model).value();
  const auto layer = quantized(model, "conv", {});
  const auto folded = fold_batch_norm(layer.layer.weight, layer.layer.bias, foldable_pairs(*tapped)[0].statistics);
  const at::Tensor x = test_models::random_input({2, 3, 8, 8});
  const at::Tensor conv = model.attr("conv").toModule().forward({x}).toTensor();
  const at::Tensor expected = model.attr("bn").toModule().forward({conv}).toTensor();
  EXPECT_TRUE(at::allclose(at::conv2d(x, folded.weight, folded.bias), expected, 1e-4, 1e-5));
}

void expect_folded_quantization(float gamma_of_first) {
  Module model = conv_bn_net(gamma_of_first);
  const QuantSpec spec{4, QuantDtype::Int, QuantScheme::PerTensorSymmetric};
  auto net = quantize(QuantizerKind::Qat, model, {quantized(model, "conv", {.weight = spec, .output = spec})});
  model.eval();
  at::Tensor normalised;
  net.tapped->add_tap("bn", TapPlace::Output, [&](const at::Tensor& out) { return normalised = out; });
  const at::Tensor x = test_models::random_input({2, 3, 8, 8});
  (void)net.run(x);
  const auto layer = quantized(model, "conv", {});
  const auto folded = fold_batch_norm(layer.layer.weight, layer.layer.bias, foldable_pairs(*net.tapped)[0].statistics);
  const at::Tensor weight = fake_quantize(folded.weight, quant_grid(value_ranges(folded.weight), spec));
  EXPECT_TRUE(at::allclose(normalised, at::conv2d(x, weight, folded.bias), 1e-4, 1e-5));
  EXPECT_TRUE(net.quantization->summary()[0].batch_norm_folded);
}

TEST(QuantFolding, InEvalModeTheTapsGiveTheFoldedQuantizedConvolution) {
  expect_folded_quantization(1.5F);
}

TEST(QuantFolding, AGammaOfZeroIsDefined) {
  expect_folded_quantization(0);
}

TEST(QuantFolding, TrainingMovesTheStatisticsAndTracksTheNormalisedOutput) {
  const Module model = conv_bn_net();
  auto net = quantize(QuantizerKind::Qat, model, {quantized(model, "conv", {.weight = kBits4, .output = kBits4})});
  const at::Tensor mean = model.attr("bn").toModule().attr("running_mean").toTensor();
  const at::Tensor before = mean.clone();
  at::Tensor normalised;
  net.tapped->add_tap("bn", TapPlace::Output, [&](const at::Tensor& out) { return normalised = out; });
  net.run(test_models::random_input({4, 3, 8, 8})).sum().backward();
  EXPECT_FALSE(at::equal(mean, before));
  EXPECT_GT(model.attr("conv").toModule().attr("weight").toTensor().grad().abs().sum().item<float>(), 0);
  const auto fields = net.quantization->calibration_config()["conv"];
  const float min = fields["tracked_min_output"].get<float>();
  const float max = fields["tracked_max_output"].get<float>();
  EXPECT_NEAR(normalised.max().item<float>(), max, (max - min) / 15);
  EXPECT_EQ(std::get<0>(at::_unique(normalised.detach())).numel(), 16) << "4 bits";
}

TEST(Quantization, TheSavedModelHasNoTaps) {
  const Module model = small_net();
  auto net = quantize(QuantizerKind::DoReFa, model, {quantized(model, "fc1", {.weight = kBits4})});
  const Module copy = copy_model(model);
  ASSERT_TRUE(net.quantization->write_weights(copy));
  std::stringstream file;
  copy.save(file);
  auto loaded = torch::jit::load(file);
  loaded.eval();
  net.model.eval();
  const at::Tensor x = test_models::random_input({5, 4});
  EXPECT_TRUE(at::allclose(loaded.forward({x}).toTensor(), net.run(x), 1e-6, 1e-7));
  EXPECT_EQ(loaded.get_method("forward").graph()->toString().find("tap"), std::string::npos);
  EXPECT_FALSE(at::equal(loaded.forward({x}).toTensor(), net.model.forward({x}).toTensor())) << "the master stays";
}

TEST(Quantization, SummaryGivesTheEffectiveSize) {
  const Module model = small_net();
  auto net = quantize(QuantizerKind::Qat, model,
                      {quantized(model, "fc1", {.weight = kBits4, .input = QuantSpec{}}),
                       quantized(model, "fc2", {.output = QuantSpec{.bits = 6}})});
  const auto rows = net.quantization->summary();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].layer, "fc1");
  EXPECT_EQ(rows[0].weight_bits, 4);
  EXPECT_EQ(rows[0].input_bits, 8);
  EXPECT_EQ(rows[0].output_bits, std::nullopt);
  EXPECT_EQ(rows[0].weight_size_bits(), 4 * 4 * 32);
  EXPECT_EQ(rows[1].weight_size_bits(), 32 * 32 * 3);
  EXPECT_EQ(rows[1].output_bits, 6);
}

TEST(Quantization, ErrorsNameLayerAndSetting) {
  const Module model = small_net();
  const auto error = [&](QuantizerKind kind, const QuantTarget& target, const std::string& layer = "fc1") {
    return error_of(kind, model, {quantized(model, layer, target)});
  };
  EXPECT_THAT(error_of(QuantizerKind::Qat, model, {}), HasSubstr("no layer"));
  EXPECT_THAT(error(QuantizerKind::Qat, {}), HasSubstr("nothing of layer `fc1`"));
  for (const int bits : {0, -1, 32, 33}) {
    EXPECT_THAT(error(QuantizerKind::Qat, {.weight = QuantSpec{.bits = bits}}), HasSubstr("works with 1 to 31"));
  }
  EXPECT_THAT(error(QuantizerKind::Qat, {.weight = QuantSpec{1, QuantDtype::Int}}), HasSubstr("below 2 bits"));
  EXPECT_EQ(error(QuantizerKind::Qat, {.weight = QuantSpec{.bits = 1}}), "");
  EXPECT_THAT(error(QuantizerKind::Qat, {.weight = QuantSpec{}, .start_step = -1}), HasSubstr("0 or more"));
  EXPECT_THAT(error(QuantizerKind::Naive, {.weight = QuantSpec{.bits = 4}}), HasSubstr("naive quantizer works with 8"));
  EXPECT_THAT(error(QuantizerKind::Naive, {.output = QuantSpec{}}), HasSubstr("weight only"));
  EXPECT_THAT(error(QuantizerKind::DoReFa, {.input = QuantSpec{}}), HasSubstr("weight only"));
  EXPECT_THAT(error(QuantizerKind::Bnn, {.input = QuantSpec{.bits = 1}}), HasSubstr("weight and output"));
  EXPECT_THAT(error(QuantizerKind::Lsq, {.weight = QuantSpec{.bits = 1}}), HasSubstr("2 to 31"));
  EXPECT_THAT(error(QuantizerKind::Lsq, {.weight = kInt4PerChannel}), HasSubstr("no such scheme"));
  EXPECT_THAT(error(QuantizerKind::Lsq, {.weight = kBits4, .start_step = 2}), HasSubstr("no delay"));
  EXPECT_THAT(error(QuantizerKind::Observer, {.weight = kBits4}), HasSubstr("observer quantizer works with 8"));
  EXPECT_THAT(error(QuantizerKind::Qat, {.input = QuantSpec{}}, "gone"), HasSubstr("never calls"));
  EXPECT_THAT(error(QuantizerKind::Qat, {.weight = QuantSpec{}}, "act"), HasSubstr("a ReLU has none"));
  const auto once = quantized(model, "fc1", {.weight = QuantSpec{}});
  EXPECT_THAT(error_of(QuantizerKind::Qat, model, {once, once}), HasSubstr("twice"));
}

TEST(Quantization, NaNInWeightsIsAnErrorThatNamesTheLayer) {
  const Module model = small_net();
  at::Tensor weight = model.attr("fc2").toModule().attr("weight").toTensor();
  auto net = quantize(QuantizerKind::Qat, model, {quantized(model, "fc2", {.weight = QuantSpec{}})});
  weight.detach()[0][0] = std::nanf("");
  EXPECT_THAT(error_of(QuantizerKind::Bnn, model, {quantized(model, "fc2", {.weight = QuantSpec{.bits = 1}})}),
              HasSubstr("the weight of layer `fc2` has NaN"));
  const auto evaluated = evaluate(Network(net.tapped), test_models::three_classes(), 64);
  ASSERT_FALSE(evaluated);
  EXPECT_THAT(evaluated.error().message, HasSubstr("the weight of layer `fc2` has NaN"));
}

}  // namespace
}  // namespace lathe::compression
