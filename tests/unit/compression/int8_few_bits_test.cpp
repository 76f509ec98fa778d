// Quantizers of fewer bits in int8: DoReFa, binarised networks, weights of QAT.
#include <algorithm>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/int8.hpp>

#include "int8_models.hpp"
#include "models.hpp"

namespace lathe::compression {
namespace {

using test_models::all_layers;
using test_models::Builder;
using test_models::calibrated;
using test_models::converted;
using test_models::kByte;
using test_models::kLargeBatch;
using test_models::operators_of;
using test_models::Quantized;
using test_models::random_data;
using test_models::relative_difference;

/// The weight that a kernel was packed with.
at::Tensor unpacked(const Int8Model& made, const std::string& attribute, const char* unpack) {
  torch::jit::Stack stack{made.model.attr(attribute)};
  c10::Dispatcher::singleton().findSchemaOrThrow(unpack, "").callBoxed(&stack);
  return stack.at(0).toTensor();
}

at::Tensor simulated_weight(const Quantized& net, const std::string& layer) {
  const auto grids = net.quantization->grids();
  for (const TensorGrid& grid : grids.value()) {
    if (grid.layer == layer && grid.place == TapPlace::Weight) return grid.weight.detach();
  }
  return {};
}

class DoReFaInInt8 : public testing::TestWithParam<int> {};

TEST_P(DoReFaInInt8, HasTheSimulationsWeightsExactly) {
  const auto model = test_models::lenet();
  const auto data = random_data({1, 28, 28});
  const auto net =
      calibrated(QuantizerKind::DoReFa, model, all_layers(model, {.weight = QuantSpec{.bits = GetParam()}}), data);
  const Int8Model made = converted(net, data);
  for (const Int8Step& step : made.layers) EXPECT_TRUE(step.int8) << step.name << ": " << step.reason;
  const at::Tensor levels = unpacked(made, "packed_2", "quantized::linear_unpack");
  const at::Tensor weight = simulated_weight(net, "fc1");
  EXPECT_LT((levels.dequantize() - weight).abs().max().item<double>(), 1e-6);
  EXPECT_EQ(levels.int_repr().remainder(2).abs().min().item<int>(), 1) << "odd levels only";
  EXPECT_LT(relative_difference(net, made, data.slice(0, 16).inputs), 0.05);
}

INSTANTIATE_TEST_SUITE_P(Bits, DoReFaInInt8, testing::Values(1, 2, 4, 7));

TEST(Int8FewBits, DoReFaOfEightBitsHasLevelsThatInt8HasNot) {
  const auto model = test_models::lenet();
  const auto data = random_data({1, 28, 28});
  const auto net = calibrated(QuantizerKind::DoReFa, model, all_layers(model, {.weight = QuantSpec{.bits = 8}}), data);
  const auto made = to_int8(*net.tapped, *net.quantization, data, {2, 16, {}, kLargeBatch});
  ASSERT_FALSE(made.has_value());
  EXPECT_THAT(made.error().message, testing::HasSubstr("layer `fc1`: the levels of its weight are multiples of a scale "
                                                       "from -255 to 255, which int8 does not hold"));
}

/// Signs between the layers: float decides them, and the next layer reads them as two levels.
TEST(Int8FewBits, ABinarisedNetworkHasItsSignsExactly) {
  Builder build(0);
  auto model = build.net("Net",
                         {{"conv1", build.conv2d(1, 16, {.kernel = 3, .bias = false})},
                          {"bn1", build.batch_norm2d(16, true)},
                          {"act1", build.net("torch.nn.modules.activation.Hardtanh", {},
                                             "def forward(self, x):\n  return torch.hardtanh(x, -1., 1.)\n")},
                          {"conv2", build.conv2d(16, 8, {.kernel = 3, .bias = false})}},
                         "def forward(self, x):\n"
                         "  return self.conv2.forward(self.act1.forward(self.bn1.forward(self.conv1.forward(x))))\n");
  const auto data = random_data({1, 10, 10});
  auto layers = all_layers(model, {.weight = QuantSpec{.bits = 1}});
  layers.push_back(test_models::quantized(model, "act1", {.output = QuantSpec{.bits = 1}}, "Hardtanh"));
  const auto net = calibrated(QuantizerKind::Bnn, model, layers, data);
  const Int8Model made = converted(net, data);
  for (const Int8Step& step : made.layers) EXPECT_TRUE(step.int8) << step.name << ": " << step.reason;
  for (const char* packed : {"packed_0", "packed_1"}) {
    const at::Tensor levels = unpacked(made, packed, "quantized::conv2d_unpack").int_repr();
    EXPECT_TRUE(levels.abs().eq(1).all().item<bool>()) << packed;
  }
  EXPECT_EQ(operators_of(made.model).at("aten::ge"), 1);
  bool reads_two_levels = false;
  for (const auto* node : made.model.get_method("forward").graph()->nodes()) {
    if (node->kind() != c10::Symbol::fromQualString("aten::quantize_per_tensor")) continue;
    reads_two_levels |=
        torch::jit::toIValue(node->input(1))->toDouble() == 1.0 && torch::jit::toIValue(node->input(2))->toInt() == 1;
  }
  EXPECT_TRUE(reads_two_levels);
  // Sums next to zero may round to the other sign; such are few.
  const double most = net.run(data.slice(0, 16).inputs).abs().max().item<double>();
  EXPECT_LT(made.mean_difference, 0.05 * most);
}

TEST(Int8FewBits, WeightsOfFourBitsKeepTheirLevels) {
  const auto model = test_models::lenet();
  const auto data = random_data({1, 28, 28});
  QuantSpec four = kByte;
  four.bits = 4;
  const auto net = calibrated(QuantizerKind::Qat, model, all_layers(model, {.weight = four, .input = kByte}), data);
  const Int8Model made = converted(net, data);
  for (const Int8Step& step : made.layers) EXPECT_TRUE(step.int8) << step.name << ": " << step.reason;
  const at::Tensor levels = unpacked(made, "packed_2", "quantized::linear_unpack");
  EXPECT_EQ(levels.qscheme(), at::kPerTensorAffine);
  EXPECT_LE(levels.int_repr().abs().max().item<int>(), 15);
  EXPECT_LT((levels.dequantize() - simulated_weight(net, "fc1")).abs().max().item<double>(), 1e-6);
  EXPECT_LT(relative_difference(net, made, data.slice(0, 16).inputs), 0.02);
}

}  // namespace
}  // namespace lathe::compression
