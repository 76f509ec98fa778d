#include "quantization/by_operators.hpp"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "quantization/kernels.hpp"
#include "quantizing.hpp"

namespace lathe::compression {
namespace {

using test_models::vector_of;

at::Tensor random_values() {
  auto generator = at::detail::createCPUGenerator(11);
  return at::randn({3, 5, 7, 9}, generator).mul_(2).add_(.3);
}

void expect_the_kernels_numbers(const at::Tensor& x, const QuantGrid& grid) {
  const auto found = by_operators::quantize(x, grid);
  const at::Tensor leaf = x.detach().requires_grad_(true);
  const at::Tensor expected = fake_quantize(leaf, grid);
  expected.sum().backward();
  EXPECT_TRUE(at::equal(found.values, expected.detach()));
  EXPECT_TRUE(at::equal(found.pass.to(at::kFloat), leaf.grad()));
}

TEST(QuantizedByOperators, EveryWidthDtypeAndSchemeGivesTheKernelsNumbers) {
  const at::Tensor x = random_values();
  for (int bits = 2; bits <= 31; ++bits) {
    for (const QuantDtype dtype : {QuantDtype::Int, QuantDtype::Uint}) {
      for (const QuantScheme scheme : {QuantScheme::PerTensorAffine, QuantScheme::PerTensorSymmetric,
                                       QuantScheme::PerChannelAffine, QuantScheme::PerChannelSymmetric}) {
        SCOPED_TRACE(::testing::Message() << bits << " bits");
        const auto axis = per_channel(scheme) ? std::optional<std::int64_t>(1) : std::nullopt;
        expect_the_kernels_numbers(x, quant_grid(value_ranges(x * .8, axis), {bits, dtype, scheme}, axis.value_or(0)));
      }
    }
  }
}

TEST(QuantizedByOperators, HalvesAndNaNGiveTheKernelsNumbers) {
  const at::Tensor halves = at::arange(-300, 300).to(at::kFloat).div_(2);
  for (const std::int64_t zero_point : {0, 1, -3, 7})
    expect_the_kernels_numbers(halves, {{1}, {zero_point}, {-127, 127}, 0});
  const auto found = by_operators::quantize(vector_of({std::nanf("")}), {{1}, {0}, {-127, 127}, 0});
  EXPECT_TRUE(std::isnan(found.values.item<float>()));
  EXPECT_EQ(found.pass.item<int>(), 0);
}

TEST(QuantizedByOperators, RangesAreTheKernels) {
  at::Tensor x = random_values();
  for (const auto& axis :
       {std::optional<std::int64_t>(), std::optional<std::int64_t>(0), std::optional<std::int64_t>(2)})
    EXPECT_EQ(by_operators::ranges(x, axis), value_ranges(x, axis));
  x[1][2][3][4] = std::numeric_limits<float>::infinity();
  const auto ranges = by_operators::ranges(x, 0);
  EXPECT_EQ(ranges[0], value_ranges(x, 0)[0]);
  EXPECT_TRUE(std::isnan(ranges[1].min));
  EXPECT_TRUE(std::isnan(ranges[1].max));
  EXPECT_EQ(by_operators::ranges(at::zeros({0}), std::nullopt), value_ranges(at::zeros({0})));
}

TEST(QuantizedByOperators, GradientsOfALearntScaleAreTheKernels) {
  const at::Tensor x = random_values().flatten();
  const at::Tensor gradient = random_values().flip(0).flatten();
  at::Tensor expected = at::empty_like(x);
  const double sum = kernels::learnt_scale_backward(x.data_ptr<float>(), gradient.contiguous().data_ptr<float>(),
                                                    expected.data_ptr<float>(), x.numel(), .3F, -8, 7);
  const auto found = by_operators::learnt_scale_backward(x, gradient, .3F, {-8, 7});
  EXPECT_TRUE(at::equal(found.tensor, expected));
  EXPECT_NEAR(found.scale, sum, 1e-3 * std::abs(sum));
}

}  // namespace
}  // namespace lathe::compression
