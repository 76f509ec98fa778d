// The observer against what LibTorch's own HistogramObserver gave for the same batches, run with bins over the exact
// range.
#include <cmath>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/quantization.hpp>

#include "quantizing.hpp"

namespace lathe::compression {
namespace {

using test_models::linear_net;
using test_models::quantize;
using test_models::quantized;
using ::testing::HasSubstr;

/// Cubes of evenly spread numbers in an order of their own: many small values, few large ones.
at::Tensor cubes(std::int64_t factor, std::int64_t shift, double scale) {
  constexpr std::int64_t count = 4000;
  const at::Tensor unit = at::arange(count).mul(factor).add(shift).remainder(1009).to(at::kFloat).div(1009);
  return (unit * unit * unit - 0.25) * scale;
}

/// tracked_min_input and tracked_max_input after a calibration on these batches of equal size.
std::vector<double> calibrated(const std::vector<at::Tensor>& batches, ObserverKind observer) {
  const auto model = linear_net(at::ones({1, 1}));
  auto net = quantize(QuantizerKind::Observer, model, {quantized(model, "fc", {.input = QuantSpec{}})}, {observer});
  const at::Tensor all = at::cat(batches).view({-1, 1});
  const auto data = Dataset::create(all, at::zeros({all.size(0)}, at::kLong), {}).value();
  const auto done = net.quantization->calibrate(Network(net.tapped), data, batches.front().numel(), 100);
  EXPECT_TRUE(done) << done.error().message;
  const auto fields = net.quantization->calibration_config()["fc"];
  return {fields["tracked_min_input"].get<double>(), fields["tracked_max_input"].get<double>()};
}

void expect_range(const std::vector<double>& actual, double min, double max) {
  constexpr double tolerance = 1e-5;
  EXPECT_NEAR(actual[0], min, tolerance * std::abs(max - min));
  EXPECT_NEAR(actual[1], max, tolerance * std::abs(max - min));
}

TEST(Observer, HistogramOfOneBatch) {
  expect_range(calibrated({cubes(37, 5, 4)}, ObserverKind::Histogram), -1.0043895, 2.9817814);
}

TEST(Observer, HistogramGrowsWithItsBatches) {
  expect_range(
      calibrated({cubes(37, 5, 4), cubes(53, 11, 1), cubes(71, 3, 6.3), cubes(37, 3, -7.1)}, ObserverKind::Histogram),
      -5.2710968, 4.7203852);
}

TEST(Observer, OneOutlierOfFourThousandIsKept) {
  at::Tensor x = cubes(37, 5, 2);
  x[7] = 50;
  expect_range(calibrated({x}, ObserverKind::Histogram), -0.39744362, 50.077896);
}

TEST(Observer, MinMaxTakesTheExtremes) {
  const auto range = calibrated({at::tensor({-1.F, 0.F, 1.F, 3.F})}, ObserverKind::MinMax);
  const double scale = 4 / 127.0;
  expect_range(range, -32 * scale, 95 * scale);
}

TEST(Observer, AConstantBatchThenOthers) {
  const auto range = calibrated({at::full({4000}, 2.F), cubes(37, 5, 4)}, ObserverKind::Histogram);
  EXPECT_NEAR(range[0], -1, 0.05);
  EXPECT_NEAR(range[1], 2.99, 0.05);
}

TEST(Observer, ARangeThatGrowsBeyondAllMeasureCostsNoMemory) {
  const auto range = calibrated({at::tensor({0.F, 1e-20F}), at::tensor({0.F, 1e20F})}, ObserverKind::Histogram);
  EXPECT_NEAR(range[1] / 1e20, 1, 0.01);
}

TEST(Observer, ZerosStayZeros) {
  const auto range = calibrated({at::zeros({8})}, ObserverKind::Histogram);
  EXPECT_EQ(range[0], 0);
  EXPECT_TRUE(std::isfinite(range[1]));
}

TEST(Observer, WeightsChannelByChannel) {
  const auto model = linear_net(at::tensor({1.F, -.5F, 100.F, 50.F}).view({2, 2}));
  auto net = quantize(QuantizerKind::Observer, model, {quantized(model, "fc", {.weight = QuantSpec{}})},
                      {ObserverKind::PerChannel});
  EXPECT_FALSE(net.quantization->needs_calibration());
  const auto fields = net.quantization->calibration_config()["fc"];
  EXPECT_NEAR(fields["tracked_min_weight"][0].get<double>(), -128 / 127.5, 1e-6);
  EXPECT_NEAR(fields["tracked_min_weight"][1].get<double>(), -12800 / 127.5, 1e-4);
}

TEST(Observer, FinishWantsACalibration) {
  const auto model = linear_net(at::ones({1, 1}));
  auto net = quantize(QuantizerKind::Observer, model, {quantized(model, "fc", {.input = QuantSpec{}})});
  EXPECT_TRUE(net.quantization->needs_calibration());
  EXPECT_FALSE(net.quantization->trains());
  const auto finished = net.quantization->finish();
  ASSERT_FALSE(finished);
  EXPECT_THAT(finished.error().message, HasSubstr("the input of layer `fc`"));
}

TEST(Observer, CalibrationNamesTheTensorThatIsNotFinite) {
  const auto model = linear_net(at::ones({1, 1}));
  auto net = quantize(QuantizerKind::Observer, model, {quantized(model, "fc", {.input = QuantSpec{}})});
  const auto data = Dataset::create(at::full({2, 1}, std::nanf("")), at::zeros({2}, at::kLong), {}).value();
  const auto done = net.quantization->calibrate(Network(net.tapped), data, 2, 1);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("the input of layer `fc` has NaN"));
  EXPECT_TRUE(net.model.is_training()) << "the model's mode is put back";
}

}  // namespace
}  // namespace lathe::compression
