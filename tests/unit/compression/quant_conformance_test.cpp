// The figures that NNI gives, case by case.
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/quant_folding.hpp>
#include <lathe/compression/quant_grid.hpp>
#include <lathe/compression/quantization.hpp>

#include "models.hpp"
#include "quantizing.hpp"

namespace lathe::compression {
namespace {

using test_models::linear_net;
using test_models::quantize;
using test_models::quantized;
using test_models::quantized_weight;
using test_models::relu_net;
using test_models::values_of;
using test_models::vector_of;
using ::testing::FloatNear;
using ::testing::Pointwise;

constexpr float kPrinted = 2e-6F;  // the figures have six decimals

void expect_near(const std::vector<float>& actual, const std::vector<float>& expected) {
  EXPECT_THAT(actual, Pointwise(FloatNear(kPrinted), expected));
}

at::Tensor row(const std::vector<float>& values) {
  return vector_of(values).view({1, -1});
}

const at::Tensor& two_rows() {
  static const at::Tensor rows = vector_of({-1, .5F, .25F, .1F, .2F, 2}).view({2, 3});
  return rows;
}

TEST(QuantizerConformance, D35NaiveTruncatesTowardsZero) {
  expect_near(quantized_weight(QuantizerKind::Naive, row({1, -.5F, .3F, .004F}), {}), {1, -.4960630F, .2992126F, 0});
}

TEST(QuantizerConformance, D36DoReFa) {
  const at::Tensor weight = row({1, -.5F, .25F, 0});
  expect_near(quantized_weight(QuantizerKind::DoReFa, weight, {.bits = 1}), {1, -1, 1, -1});
  expect_near(quantized_weight(QuantizerKind::DoReFa, weight, {.bits = 3}), {1, -.7142857F, .4285715F, .1428572F});
}

TEST(QuantizerConformance, D37BnnTakesBothZerosAsPositive) {
  expect_near(quantized_weight(QuantizerKind::Bnn, row({.3F, -.2F, 0, -0.0F}), {.bits = 1}), {1, -1, 1, 1});
}

/// Scale and zero point of `fc.weight`, as exported.
void expect_grid(const at::Tensor& rows, const QuantSpec& spec, const std::vector<float>& scale,
                 const std::vector<std::int64_t>& zero_point) {
  const auto model = linear_net(rows);
  const auto net = quantize(QuantizerKind::Qat, model, {quantized(model, "fc", {.weight = spec})});
  const auto fields = net.quantization->calibration_config()["fc"];
  const auto list = [](const nlohmann::ordered_json& value) {
    return value.is_array() ? value : nlohmann::ordered_json::array({value});
  };
  expect_near(list(fields["weight_scale"]).get<std::vector<float>>(), scale);
  EXPECT_EQ(list(fields["weight_zero_point"]).get<std::vector<std::int64_t>>(), zero_point);
  EXPECT_EQ(fields["weight_bits"], spec.bits);
}

TEST(QuantizerConformance, D38QatWeightUint8Affine) {
  expect_grid(vector_of({1, 2, 3, 5}).view({2, 2}), {}, {5 / 255.0F}, {0});
  const auto model = linear_net(vector_of({-1, 2, 3, 5}).view({2, 2}));
  const auto net = quantize(QuantizerKind::Qat, model, {quantized(model, "fc", {.weight = QuantSpec{}})});
  const auto fields = net.quantization->calibration_config()["fc"];
  EXPECT_FLOAT_EQ(fields["weight_scale"].get<float>(), 6 / 255.0F);
  EXPECT_TRUE(fields["weight_zero_point"] == 42 || fields["weight_zero_point"] == 43);
}

TEST(QuantizerConformance, D39QatInputUint8Affine) {
  const auto model = linear_net(at::ones({2, 2}));
  const auto net = quantize(QuantizerKind::Qat, model, {quantized(model, "fc", {.input = QuantSpec{}})});
  (void)net.run(vector_of({1, 4, 2, 1}).view({2, 2}));
  const auto fields = net.quantization->calibration_config()["fc"];
  EXPECT_EQ(fields["input_bits"], 8);
  EXPECT_FLOAT_EQ(fields["tracked_min_input"].get<float>(), 1);
  EXPECT_FLOAT_EQ(fields["tracked_max_input"].get<float>(), 4);
  const auto seen = quant_grid({{1, 4}}, {});
  EXPECT_FLOAT_EQ(seen.scale.front(), 4 / 255.0F);
  EXPECT_EQ(seen.zero_point.front(), 0);
}

void expect_qat_weight(const QuantSpec& spec, const std::vector<float>& scale,
                       const std::vector<std::int64_t>& zero_point, const std::vector<float>& weight) {
  expect_grid(two_rows(), spec, scale, zero_point);
  expect_near(quantized_weight(QuantizerKind::Qat, two_rows(), spec), weight);
}

TEST(QuantizerConformance, D40Int8TensorAffine) {
  expect_qat_weight({8, QuantDtype::Int, QuantScheme::PerTensorAffine}, {.01181102F}, {-42},
                    {-1.003937F, .496063F, .248031F, .094488F, .200787F, 1.996063F});
}

TEST(QuantizerConformance, D41Int8TensorSymmetric) {
  expect_qat_weight({8, QuantDtype::Int, QuantScheme::PerTensorSymmetric}, {.01574803F}, {0},
                    {-1.007874F, .503937F, .251969F, .094488F, .204724F, 2});
}

TEST(QuantizerConformance, D42Int8ChannelSymmetric) {
  expect_qat_weight({8, QuantDtype::Int, QuantScheme::PerChannelSymmetric}, {.00787402F, .01574803F}, {0, 0},
                    {-1, .503937F, .251969F, .094488F, .204724F, 2});
}

TEST(QuantizerConformance, D43Uint8TensorAffine) {
  expect_qat_weight({8, QuantDtype::Uint, QuantScheme::PerTensorAffine}, {.01176471F}, {85},
                    {-1, .505882F, .247059F, .105882F, .2F, 2});
}

TEST(QuantizerConformance, D44Uint8ChannelAffine) {
  expect_qat_weight({8, QuantDtype::Uint, QuantScheme::PerChannelAffine}, {.00588235F, .00784314F}, {170, 0},
                    {-1, .5F, .247059F, .101961F, .196078F, 2});
}

TEST(QuantizerConformance, D45Int4TensorSymmetric) {
  expect_qat_weight({4, QuantDtype::Int, QuantScheme::PerTensorSymmetric}, {.2857143F}, {0},
                    {-.857143F, .571429F, .285714F, 0, .285714F, 2});
}

TEST(QuantizerConformance, D46Uint4TensorAffine) {
  expect_qat_weight({4, QuantDtype::Uint, QuantScheme::PerTensorAffine}, {.2F}, {5}, {-1, .6F, .2F, .2F, .2F, 2});
}

TEST(QuantizerConformance, D47Int4ChannelAffine) {
  expect_qat_weight({4, QuantDtype::Int, QuantScheme::PerChannelAffine}, {.1071429F, .1428571F}, {2, -7},
                    {-.964286F, .535714F, .214286F, .142857F, .142857F, 2});
}

TEST(QuantizerConformance, D49QatOutputRangesAreAveragedFromTheFirstStepOn) {
  const auto model = relu_net();
  auto net = quantize(QuantizerKind::Qat, model, {quantized(model, "act", {.output = QuantSpec{}})});
  const std::vector<std::vector<float>> inputs{{0, .25F, .5F, 1}, {0, .5F, 1, 2}, {0, .1F, .2F, .3F}};
  const std::vector<std::vector<float>> outputs{
      {0, .2509804F, .4980392F, 1}, {0, .4990588F, .9981176F, 1.01F}, {0, .0983235F, .2005800F, .2989035F}};
  const std::vector<float> greatest{1, 1.01F, 1.0029F};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    expect_near(values_of(net.run(vector_of(inputs[i]))), outputs[i]);
    const auto fields = net.quantization->calibration_config()["act"];
    EXPECT_NEAR(fields["tracked_max_output"].get<float>(), greatest[i], kPrinted);
    EXPECT_EQ(fields["tracked_min_output"], 0);
    net.quantization->step();
  }
  net.model.eval();
  expect_near(values_of(net.run(vector_of({0, .5F, 5, .1F}))), {0, .4994835F, 1.0029F, .0983235F});
}

TEST(QuantizerConformance, D50QuantizationBeginsWithItsStartStep) {
  const auto model = relu_net();
  auto net = quantize(QuantizerKind::Qat, model, {quantized(model, "act", {.output = QuantSpec{}, .start_step = 3})});
  const std::vector<float> x{0, .1F, .2F, 1.003F};
  for (int step = 1; step <= 4; ++step) {
    expect_near(values_of(net.run(vector_of(x))), step < 3 ? x : std::vector<float>{0, .0983333F, .2006F, 1.003F});
    net.quantization->step();
  }
}

TEST(QuantizerConformance, D52Lsq) {
  const auto model = linear_net(row({.5F, -1, .25F, 2}));
  auto net =
      quantize(QuantizerKind::Lsq, model, {quantized(model, "fc", {.weight = QuantSpec{}, .input = QuantSpec{}})});
  at::Tensor weight;
  net.tapped->add_tap("fc", TapPlace::Weight, [&](const at::Tensor& passed) { return weight = passed; });
  const at::Tensor y = net.run(row({1, 2, 3, 4}));
  y.sum().backward();
  const auto scales = net.quantization->extra_parameters();
  ASSERT_EQ(scales.size(), 2u);
  expect_near({scales[0].item<float>(), scales[1].item<float>()}, {.1663793F, .4436783F});
  expect_near(values_of(weight), {.4991381F, -.9982761F, .3327587F, 1.9965522F});
  EXPECT_NEAR(y.item<float>(), 7.2342525F, 1e-5);
  expect_near({scales[0].grad().item<float>(), scales[1].grad().item<float>()}, {.0656852F, -.0252819F});
  // NNI gives the weight no gradient; here it passes within the levels: the quantized input.
  const float s = scales[1].item<float>();
  expect_near(values_of(model.attr("fc").toModule().attr("weight").toTensor().grad()), {2 * s, 5 * s, 7 * s, 9 * s});
}

TEST(QuantizerConformance, D53Observer) {
  const auto model = linear_net(row({.5F, -1, .25F, 2}));
  auto net =
      quantize(QuantizerKind::Observer, model, {quantized(model, "fc", {.weight = QuantSpec{}, .input = QuantSpec{}})});
  const auto data = Dataset::create(row({-1, 0, 1, 3}), at::zeros({1}, at::kLong), {}).value();
  const auto calibrated = net.quantization->calibrate(Network(net.tapped), data, 1, 1);
  ASSERT_TRUE(calibrated) << calibrated.error().message;
  const auto copy = copy_model(model);
  ASSERT_TRUE(net.quantization->write_weights(copy));
  expect_near(values_of(copy.attr("fc").toModule().attr("weight").toTensor()),
              {.5019608F, -1.0039216F, .2509804F, 1.9921570F});
  const auto fields = net.quantization->calibration_config()["fc"];
  EXPECT_NEAR(fields["tracked_max_weight"].get<float>(), .0156863F * 127, 1e-5);
  EXPECT_NEAR(fields["tracked_min_input"].get<float>(), -.0314807F * 32, 1e-5);
  EXPECT_NEAR(fields["tracked_max_input"].get<float>(), .0314807F * 95, 1e-5);
  EXPECT_EQ(fields["tracked_qmin_input"], 0);
  EXPECT_EQ(fields["tracked_qmax_input"], 127);
}

TEST(QuantizerConformance, D54BatchNormFolding) {
  const auto folded =
      fold_batch_norm(vector_of({2, -1}).view({2, 1, 1, 1}), {},
                      {vector_of({1, .5F}), vector_of({.1F, -.2F}), vector_of({.5F, 1}), vector_of({4, .25F}), 0});
  expect_near(values_of(folded.weight), {1, -1});
  expect_near(values_of(folded.bias), {-.15F, -1.2F});
}

TEST(QuantizerConformance, D55ReluRangesInNnisOwnTest) {
  const auto model = relu_net();
  auto net = quantize(QuantizerKind::Qat, model, {quantized(model, "act", {.output = QuantSpec{}})});
  const auto range = [&] {
    const auto fields = net.quantization->calibration_config()["act"];
    return std::vector<float>{fields["tracked_min_output"].get<float>(), fields["tracked_max_output"].get<float>()};
  };
  (void)net.run(vector_of({-.2F, 0, .1F, .2F}).view({2, 2}));
  expect_near(range(), {0, .2F});
  net.quantization->step();
  (void)net.run(vector_of({.2F, .4F, .6F, .8F}).view({2, 2}));
  expect_near(range(), {.002F, .2060F});
}

TEST(QuantizerConformance, D57QatExport) {
  const at::Tensor weight = row({.5F, -1, .25F});
  const auto model = linear_net(weight);
  auto net = quantize(QuantizerKind::Qat, model,
                      {quantized(model, "fc", {.weight = QuantSpec{}, .input = QuantSpec{}, .output = QuantSpec{}})});
  (void)net.run(row({1, -1, 2}));
  ASSERT_TRUE(net.quantization->finish());
  ASSERT_TRUE(net.quantization->write_weights(model));
  EXPECT_TRUE(at::equal(model.attr("fc").toModule().attr("weight").toTensor(), weight)) << "the float weights stay";
  const auto fields = net.quantization->calibration_config()["fc"];
  EXPECT_NEAR(fields["weight_scale"].get<float>(), .0058824F, 1e-7);
  EXPECT_EQ(fields["weight_zero_point"], 170);
  EXPECT_EQ(fields["tracked_min_input"], -1);
  EXPECT_EQ(fields["tracked_max_input"], 2);
  EXPECT_NEAR(fields["tracked_min_output"].get<float>(), 1.9941176F, kPrinted);
  EXPECT_EQ(fields["tracked_min_output"], fields["tracked_max_output"]);
  std::vector<std::string> names;
  for (const auto& field : fields.items()) names.push_back(field.key());
  EXPECT_THAT(names, ::testing::ElementsAre("weight_bits", "weight_scale", "weight_zero_point", "input_bits",
                                            "tracked_min_input", "tracked_max_input", "output_bits",
                                            "tracked_min_output", "tracked_max_output"));
}

TEST(QuantizerConformance, D58DoReFaExport) {
  const auto model = linear_net(row({.5F, -1, .25F}));
  auto net = quantize(QuantizerKind::DoReFa, model, {quantized(model, "fc", {.weight = QuantSpec{.bits = 4}})});
  const auto copy = copy_model(model);
  ASSERT_TRUE(net.quantization->write_weights(copy));
  expect_near(values_of(copy.attr("fc").toModule().attr("weight").toTensor()), {.6F, -1, .3333334F});
  EXPECT_EQ(net.quantization->calibration_config().dump(), R"({"fc":{"weight_bits":4}})");
}

}  // namespace
}  // namespace lathe::compression
