// Convolutions of every kind in int8: the engine's kernels against float references, and models made of them.
#include <array>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
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
using test_models::kByChannel;
using test_models::kByte;
using test_models::kSymmetric;
using test_models::mean_relative_difference;
using test_models::operators_of;
using test_models::random_data;
using test_models::relative_difference;
using Numbers = std::vector<std::int64_t>;

at::Tensor call(const std::string& name, const std::vector<c10::IValue>& arguments) {
  torch::jit::Stack stack(arguments.begin(), arguments.end());
  for (const char* overload : {"new", ""}) {
    if (const auto found = c10::Dispatcher::singleton().findSchema({name, overload})) {
      found->callBoxed(&stack);
      return stack.front().toTensor();
    }
  }
  ADD_FAILURE() << "no operator " << name;
  return {};
}

c10::IValue pack(const std::string& name, const std::vector<c10::IValue>& arguments) {
  torch::jit::Stack stack(arguments.begin(), arguments.end());
  c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), "").callBoxed(&stack);
  return stack.front();
}

struct Setting {
  std::int64_t stride;
  std::int64_t padding;
  std::int64_t dilation;
};

struct KernelCase {
  std::int64_t axes;
  bool transposed;
};

/// Every combination of groups, strides and the like, zero points of input and output, one scale or one a filter. The
/// scales of no two cases are the same, see the next test.
class Int8Kernels : public testing::TestWithParam<KernelCase> {
 protected:
  static constexpr std::int64_t kChannels = 8;
  static constexpr std::int64_t kFilters = 16;

  void SetUp() override {
    Numbers sizes{2, kChannels, 9, 7, 8};
    sizes.resize(static_cast<std::size_t>(2 + GetParam().axes));
    values_ = test_models::random_input(sizes, 1);
  }

  [[nodiscard]] std::string kernel() const {
    return fmt::format("{}{}d", GetParam().transposed ? "conv_transpose" : "conv", GetParam().axes);
  }

  [[nodiscard]] at::Tensor weight(std::int64_t groups, bool by_filter) const {
    const auto [axes, transposed] = GetParam();
    Numbers shape(static_cast<std::size_t>(2 + axes), 3);
    shape[0] = transposed ? kChannels : kFilters;
    shape[1] = (transposed ? kFilters : kChannels) / groups;
    const at::Tensor floats = test_models::random_input(shape, 2) * 0.3;
    if (!by_filter) return at::quantize_per_tensor(floats, 0.01, 0, at::kQInt8);
    const at::Tensor scales = at::linspace(0.005, 0.015, kFilters, at::kDouble);
    return at::quantize_per_channel(floats, scales, at::zeros({kFilters}, at::kLong), 0, at::kQInt8);
  }

  [[nodiscard]] at::Tensor reference(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                                     const Setting& setting, std::int64_t groups) const {
    const auto [axes, transposed] = GetParam();
    const auto all = [axes = axes](std::int64_t number) { return Numbers(static_cast<std::size_t>(axes), number); };
    return at::convolution(input.dequantize().to(at::kDouble), weight.dequantize().to(at::kDouble),
                           bias.to(at::kDouble), all(setting.stride), all(setting.padding), all(setting.dilation),
                           transposed, all(0), groups);
  }

  void check(const Setting& setting, std::int64_t groups, bool by_filter, std::int64_t zero_point,
             std::int64_t output_zero_point, bool relu) {
    const auto all = [&](std::int64_t number) { return Numbers(static_cast<std::size_t>(GetParam().axes), number); };
    const at::Tensor input = at::quantize_per_tensor(values_, 0.03, zero_point, at::kQUInt8);
    const at::Tensor levels = weight(groups, by_filter);
    const at::Tensor bias = test_models::random_input({kFilters}, 3);
    std::vector<c10::IValue> arguments{levels, bias, all(setting.stride), all(setting.padding)};
    if (GetParam().transposed) arguments.emplace_back(all(0));
    arguments.emplace_back(all(setting.dilation));
    arguments.emplace_back(groups);
    const double scale = 0.1 * (1 + 1e-4 * ++cases_);
    const at::Tensor found =
        call("quantized::" + kernel() + (relu ? "_relu" : ""),
             {input, pack("quantized::" + kernel() + "_prepack", arguments), scale, output_zero_point});
    at::Tensor expected = reference(input, levels, bias, setting, groups);
    if (relu) expected = expected.clamp_min(0);
    expected = ((expected / scale).round() + static_cast<double>(output_zero_point)).clamp(0, 255);
    ASSERT_EQ(found.sizes(), expected.sizes());
    const double difference = (found.int_repr().to(at::kDouble) - expected).abs().max().item<double>();
    EXPECT_LE(difference, 1) << kernel() << " stride " << setting.stride << " padding " << setting.padding
                             << " dilation " << setting.dilation << " groups " << groups << " by filter " << by_filter
                             << " zero points " << zero_point << " and " << output_zero_point << " ReLU " << relu;
  }

 private:
  at::Tensor values_;
  int cases_ = 0;
};

TEST_P(Int8Kernels, ComputeWhatFloatComputes) {
  const c10::NoGradGuard no_grad;
  const EngineScope engine(int8_engine().value());
  if (!has_exact_int8()) GTEST_SKIP() << "16-bit sums overflow on this processor";
  for (const Setting& setting : {Setting{1, 0, 1}, Setting{2, 1, 1}, Setting{1, 1, 2}, Setting{3, 2, 1}}) {
    for (const std::int64_t groups : {1, 4, 8}) {
      for (const std::int64_t zero_point : {0, 5, 128, 255}) {
        for (const bool by_filter : {false, true}) {
          if (by_filter && GetParam().transposed) continue;
          check(setting, groups, by_filter, zero_point, 0, !GetParam().transposed);
          for (const std::int64_t output : {0, 100}) check(setting, groups, by_filter, zero_point, output, false);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Int8Kernels,
                         testing::Values(KernelCase{1, false}, KernelCase{2, false}, KernelCase{3, false},
                                         KernelCase{1, true}, KernelCase{2, true}, KernelCase{3, true}),
                         [](const auto& each) {
                           return fmt::format("{}{}", each.param.transposed ? "Transposed" : "Conv", each.param.axes);
                         });

/// A convolution as a layer of a model: `more` is what follows the bias in the call.
torch::jit::Module convolution(Builder& build, const std::string& type, const Numbers& weight, std::int64_t filters,
                               const std::string& more) {
  const std::string axes(1, type[type.size() - 2]);
  const std::string function = (type.starts_with("ConvTranspose") ? "conv_transpose" : "conv") + axes + "d";
  return build.layer(
      type, {{"weight", weight}, {"bias", {filters}}},
      "def forward(self, x):\n  return torch." + function + "(x, self.weight, self.bias, " + more + ")\n");
}

TEST(Int8Layers, SequencesStayInBytes) {
  Builder build(0);
  const auto model = build.net("Net",
                               {{"a", build.conv1d(4, 16, {.kernel = 5, .padding = 2})},
                                {"b", build.conv1d(16, 16, {.kernel = 3, .stride = 2, .groups = 4})},
                                {"fc", build.linear(16 * 7, 4)}},
                               "def forward(self, x):\n"
                               "  x = torch.max_pool1d(torch.relu(self.a.forward(x)), [2], [2])\n"
                               "  return self.fc.forward(torch.flatten(torch.relu(self.b.forward(x)), 1))\n");
  const auto data = random_data({4, 32});
  const auto net =
      calibrated(QuantizerKind::Qat, model, all_layers(model, {.weight = kByChannel, .input = kByte}), data);
  const Int8Model made = converted(net, data);
  for (const Int8Step& step : made.layers) EXPECT_TRUE(step.int8) << step.name << ": " << step.reason;
  const auto operators = operators_of(made.model);
  EXPECT_EQ(operators.at("quantized::conv1d_relu"), 2);
  EXPECT_EQ(operators.at("aten::quantize_per_tensor"), 1);
  EXPECT_EQ(operators.at("aten::dequantize"), 1);
  EXPECT_LT(relative_difference(net, made, data.slice(0, 16).inputs), 0.03);
}

TEST(Int8Layers, VolumesRunWithTheirReluInTheKernel) {
  Builder build(0);
  const auto a = convolution(build, "Conv3d", {8, 2, 3, 3, 3}, 8, "[1, 2, 2], [1, 1, 1], [1, 1, 1], 1");
  const auto b = convolution(build, "Conv3d", {8, 4, 1, 3, 3}, 8, "[1, 1, 1], [0, 0, 0], [1, 1, 1], 2");
  const auto model = build.net("Net", {{"a", a}, {"b", b}},
                               "def forward(self, x):\n"
                               "  return torch.relu(self.b.forward(torch.relu(self.a.forward(x))))\n");
  const auto data = random_data({2, 4, 9, 9});
  const auto net =
      calibrated(QuantizerKind::Qat, model, all_layers(model, {.weight = kByChannel, .input = kByte}), data);
  const Int8Model made = converted(net, data);
  EXPECT_EQ(operators_of(made.model).at("quantized::conv3d_relu"), 2);
  EXPECT_LT(relative_difference(net, made, data.slice(0, 16).inputs), 0.15) << "beyond the histogram's end it is cut";
  EXPECT_LT(mean_relative_difference(net, made, data.slice(0, 16).inputs), 0.005);
}

struct TransposedCase {
  std::string type;
  Numbers weight;
  std::string arguments;
  Numbers record;
};

class Int8Transposed : public testing::TestWithParam<TransposedCase> {
 protected:
  /// The layer `up`, then what `forward` says.
  [[nodiscard]] torch::jit::Module model(const std::string& forward) const {
    Builder build(0);
    const auto& param = GetParam();
    return build.net("Net", {{"up", convolution(build, param.type, param.weight, 6, param.arguments)}},
                     "def forward(self, x):\n" + forward);
  }
};

/// There is no kernel with a ReLU: the lower end of the grid is it.
TEST_P(Int8Transposed, AgreesWithItsSimulation) {
  const auto data = random_data(GetParam().record);
  for (const QuantSpec& weight : {kSymmetric, kByte}) {
    const auto net_model = model("  return torch.relu(self.up.forward(x))\n");
    const auto net =
        calibrated(QuantizerKind::Qat, net_model, all_layers(net_model, {.weight = weight, .input = kByte}), data);
    const Int8Model made = converted(net, data);
    const auto operators = operators_of(made.model);
    EXPECT_FALSE(operators.contains("aten::relu"));
    EXPECT_EQ(operators.size(), 3U) << "quantize, the kernel, dequantize";
    EXPECT_LT(relative_difference(net, made, data.slice(0, 16).inputs), 0.15) << "beyond the histogram's end it is cut";
    EXPECT_LT(mean_relative_difference(net, made, data.slice(0, 16).inputs), 0.005);
  }
}

TEST_P(Int8Transposed, TakesOneScaleOnly) {
  const auto data = random_data(GetParam().record);
  const auto net_model = model("  return self.up.forward(x)\n");
  const auto net =
      calibrated(QuantizerKind::Qat, net_model, all_layers(net_model, {.weight = kByChannel, .input = kByte}), data);
  const auto made = to_int8(*net.tapped, *net.quantization, data, {2, 16, {}, 1});
  ASSERT_FALSE(made.has_value());
  EXPECT_THAT(made.error().message, testing::HasSubstr("`up`: its weight has a scale for each channel"));
}

INSTANTIATE_TEST_SUITE_P(
    All, Int8Transposed,
    testing::Values(TransposedCase{"ConvTranspose1d", {4, 6, 3}, "[2], [1], [0], 1, [1]", {4, 12}},
                    TransposedCase{"ConvTranspose2d", {4, 3, 2, 2}, "[2, 2], [0, 0], [0, 0], 2, [1, 1]", {4, 6, 6}},
                    TransposedCase{"ConvTranspose3d",
                                   {4, 6, 2, 2, 2},
                                   "[2, 2, 2], [0, 0, 0], [0, 0, 0], 1, [1, 1, 1]",
                                   {4, 3, 4, 4}}),
    [](const auto& each) { return each.param.type; });

TEST(Int8Layers, OutputPaddingStaysFloat) {
  Builder build(0);
  const auto up = convolution(build, "ConvTranspose2d", {4, 4, 3, 3}, 4, "[2, 2], [1, 1], [1, 1], 1, [1, 1]");
  const auto model = build.net("Net", {{"conv", build.conv2d(2, 4)}, {"up", up}},
                               "def forward(self, x):\n  return self.up.forward(self.conv.forward(x))\n");
  const auto data = random_data({2, 8, 8});
  const auto net =
      calibrated(QuantizerKind::Qat, model, all_layers(model, {.weight = kSymmetric, .input = kByte}), data);
  const Int8Model made = converted(net, data);
  EXPECT_TRUE(made.layers.at(0).int8);
  EXPECT_FALSE(made.layers.at(1).int8);
  EXPECT_EQ(made.layers[1].reason, "oneDNN's transposed convolutions have no output padding in int8");
  EXPECT_LT(relative_difference(net, made, data.slice(0, 16).inputs), 0.03);
}

/// Two convolutions alike in shape and scales: LibTorch 1.13 gives the second the zero point of the first one's output.
TEST(Int8Layers, ConvolutionsThatDifferInTheirZeroPointsAloneAreToldApart) {
  Builder build(0);
  auto a = build.conv2d(3, 3);
  auto b = build.conv2d(3, 3);
  const c10::NoGradGuard no_grad;
  a.attr("bias").toTensor().add_(0.3F);
  for (const char* name : {"weight", "bias"}) b.attr(name).toTensor().copy_(-a.attr(name).toTensor());
  const auto model =
      build.net("Net", {{"a", a}, {"b", b}},
                "def forward(self, x):\n  return torch.cat([self.a.forward(x), self.b.forward(x)], 1)\n");
  const auto data = random_data({3, 8, 8});
  const auto net = calibrated(QuantizerKind::Qat, model,
                              all_layers(model, {.weight = kSymmetric, .input = kSymmetric, .output = kByte}), data);
  const auto grids = net.quantization->grids().value();
  ASSERT_EQ(grids[2].grid->scale, grids[5].grid->scale);
  ASSERT_NE(grids[2].grid->zero_point, grids[5].grid->zero_point);
  const Int8Model made = converted(net, data);
  EXPECT_LT(relative_difference(net, made, data.slice(0, 16).inputs), 0.03);
}

}  // namespace
}  // namespace lathe::compression
