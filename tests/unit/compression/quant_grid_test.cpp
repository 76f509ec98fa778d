#include <lathe/compression/quant_grid.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quantizing.hpp"

namespace lathe::compression {
namespace {

using test_models::values_of;
using test_models::vector_of;
using ::testing::FloatEq;
using ::testing::Pointwise;

constexpr auto kAllSchemes = {QuantScheme::PerTensorAffine, QuantScheme::PerTensorSymmetric,
                              QuantScheme::PerChannelAffine, QuantScheme::PerChannelSymmetric};

/// One value at a time, as NNI's formulas read.
struct Reference {
  float value;
  bool passes;
};

Reference reference(float x, const QuantGrid& grid, std::size_t channel) {
  const float scale = grid.scale[channel];
  const auto zero_point = static_cast<float>(grid.zero_point[channel]);
  const auto min = static_cast<float>(grid.levels.min);
  const auto max = static_cast<float>(grid.levels.max);
  const float real = zero_point + x / scale;
  const float level = std::nearbyint(std::fmin(std::fmax(real, min), max));
  return {scale * (level - zero_point), std::nearbyint(real) >= min && std::nearbyint(real) <= max};
}

void expect_reference(const at::Tensor& x, const QuantGrid& grid) {
  const at::Tensor input = x.detach().requires_grad_(true);
  const at::Tensor output = fake_quantize(input, grid);
  output.backward(at::ones_like(output) * 3);
  const at::Tensor plain = fake_quantize(x, grid);
  EXPECT_TRUE(at::equal(plain, output.detach()));
  const auto values = values_of(x);
  const auto outputs = values_of(output);
  const auto gradients = values_of(input.grad());
  std::int64_t inner = 1;
  for (std::int64_t i = grid.axis + 1; i < x.dim(); ++i) inner *= x.size(i);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t channel = i / static_cast<std::size_t>(inner) % grid.scale.size();
    const Reference expected = reference(values[i], grid, channel);
    ASSERT_EQ(outputs[i], expected.value) << "x " << values[i] << " at " << i;
    ASSERT_EQ(gradients[i], expected.passes ? 3.0F : 0.0F) << "x " << values[i] << " at " << i;
  }
}

TEST(QuantGrid, LevelsOfEveryWidth) {
  EXPECT_EQ(quant_levels(8, QuantDtype::Int), (QuantLevels{-127, 127}));
  EXPECT_EQ(quant_levels(8, QuantDtype::Uint), (QuantLevels{0, 255}));
  EXPECT_EQ(quant_levels(2, QuantDtype::Int), (QuantLevels{-1, 1}));
  EXPECT_EQ(quant_levels(1, QuantDtype::Uint), (QuantLevels{0, 1}));
  EXPECT_EQ(quant_levels(31, QuantDtype::Int), (QuantLevels{-1073741823, 1073741823}));
  EXPECT_EQ(quant_levels(31, QuantDtype::Uint), (QuantLevels{0, 2147483647}));
}

TEST(QuantizerConformance, D48ScaleOfEverySchemeForTheRange0To15) {
  const std::vector<ValueRange> range{{0, 15}};
  const auto scale = [&](QuantDtype dtype, QuantScheme scheme) {
    return quant_grid(range, {8, dtype, scheme}).scale.front();
  };
  EXPECT_FLOAT_EQ(scale(QuantDtype::Int, QuantScheme::PerTensorSymmetric), 15 / 127.0F);
  EXPECT_FLOAT_EQ(scale(QuantDtype::Uint, QuantScheme::PerTensorSymmetric), 15 / 127.5F);
  EXPECT_FLOAT_EQ(scale(QuantDtype::Int, QuantScheme::PerTensorAffine), 15 / 254.0F);
  EXPECT_FLOAT_EQ(scale(QuantDtype::Uint, QuantScheme::PerTensorAffine), 15 / 255.0F);
}

TEST(QuantizerConformance, D51GradientPassesWhereTheLevelIsWithinTheLevels) {
  const QuantGrid grid{{1 / 255.0F}, {0}, {0, 255}, 0};
  const at::Tensor x = vector_of({-.5F, -.001F, .5F, 1, 1.001F, 1.01F}).requires_grad_(true);
  fake_quantize(x, grid).sum().backward();
  EXPECT_EQ(values_of(x.grad()), (std::vector<float>{0, 1, 1, 1, 1, 0}));
}

TEST(QuantGrid, RoundsHalvesAsNniDoes) {
  const QuantGrid grid{{1}, {1}, {-127, 127}, 0};
  // LibTorch's own operator rounds before it adds the zero point: 0, 2, 2, 0.
  EXPECT_EQ(values_of(fake_quantize(vector_of({.5F, 1.5F, 2.5F, -.5F}), grid)), (std::vector<float>{1, 1, 3, -1}));
}

TEST(QuantGrid, MatchesTheScalarReferenceForEveryWidthDtypeAndScheme) {
  auto generator = at::detail::createCPUGenerator(7);
  const at::Tensor random = at::randn({3, 5, 7, 9}, generator).mul_(2).add_(.3);
  for (int bits = 1; bits <= 24; ++bits) {
    for (const QuantDtype dtype : {QuantDtype::Int, QuantDtype::Uint}) {
      if (bits == 1 && dtype == QuantDtype::Int) continue;
      for (const QuantScheme scheme : kAllSchemes) {
        SCOPED_TRACE(::testing::Message()
                     << bits << " bits, dtype " << static_cast<int>(dtype) << ", scheme " << static_cast<int>(scheme));
        const auto axis = per_channel(scheme) ? std::optional<std::int64_t>(1) : std::nullopt;
        // A narrower range than the data's, so that some values are clamped.
        const auto grid = quant_grid(value_ranges(random * .8, axis), {bits, dtype, scheme}, axis.value_or(0));
        expect_reference(random, grid);
      }
    }
  }
}

TEST(QuantGrid, MatchesTheScalarReferenceForExactHalves) {
  const at::Tensor halves = at::arange(-300, 300).to(at::kFloat).div_(2);
  for (const std::int64_t zero_point : {0, 1, -3, 7}) expect_reference(halves, {{1}, {zero_point}, {-127, 127}, 0});
}

TEST(QuantGrid, ChannelsAtAnyAxisAndLengthsThatNoVectorDivides) {
  auto generator = at::detail::createCPUGenerator(3);
  for (const std::int64_t axis : {0, 1, 2}) {
    const at::Tensor random = at::randn({5, 3, 37}, generator);
    const QuantSpec spec{4, QuantDtype::Uint, QuantScheme::PerChannelAffine};
    expect_reference(random, quant_grid(value_ranges(random * .7, axis), spec, axis));
  }
}

TEST(QuantGrid, ViewsAndOtherLayoutsGiveWhatAContiguousCopyGives) {
  auto generator = at::detail::createCPUGenerator(4);
  const at::Tensor base = at::randn({2, 6, 5, 4}, generator);
  for (const at::Tensor& x :
       {base.contiguous(at::MemoryFormat::ChannelsLast), base.transpose(1, 3), base.narrow(1, 1, 3)}) {
    for (const QuantScheme scheme : kAllSchemes) {
      const auto axis = per_channel(scheme) ? std::optional<std::int64_t>(1) : std::nullopt;
      const auto grid = quant_grid(value_ranges(x.contiguous(), axis), {5, QuantDtype::Int, scheme}, 1);
      EXPECT_EQ(value_ranges(x, axis), value_ranges(x.contiguous(), axis));
      const at::Tensor leaf = x.detach().requires_grad_(true);
      const at::Tensor weights = at::arange(x.numel()).to(at::kFloat).view(x.sizes());
      (fake_quantize(leaf, grid) * weights).sum().backward();
      const at::Tensor copy = x.detach().contiguous().clone().requires_grad_(true);
      (fake_quantize(copy, grid) * weights).sum().backward();
      EXPECT_TRUE(at::equal(fake_quantize(x, grid), fake_quantize(x.contiguous(), grid)));
      EXPECT_TRUE(at::equal(leaf.grad(), copy.grad()));
    }
  }
}

TEST(QuantGrid, MoreThan24BitsAreExactToTheLastBitOfTheResult) {
  const std::int64_t top = quant_levels(31, QuantDtype::Int).max;
  const QuantGrid grid{{1.0F / 1024}, {0}, {-top, top}, 0};
  auto generator = at::detail::createCPUGenerator(5);
  const at::Tensor x = at::randn({1000}, generator).mul_(100000);
  const at::Tensor expected = x.to(at::kDouble).mul(1024).round().div(1024).to(at::kFloat);
  EXPECT_TRUE(at::equal(fake_quantize(x, grid), expected));
  const QuantGrid wide = quant_grid({{-1, 3}}, {31, QuantDtype::Uint, QuantScheme::PerTensorAffine});
  EXPECT_NEAR(static_cast<double>(wide.zero_point.front()), 2147483647.0 / 4, 40);
}

TEST(QuantGrid, AZeroRangeKeepsZero) {
  for (const QuantScheme scheme : kAllSchemes) {
    for (const QuantDtype dtype : {QuantDtype::Int, QuantDtype::Uint}) {
      for (const float tiny : {0.0F, std::numeric_limits<float>::denorm_min()}) {
        const auto grid = quant_grid({{-tiny, tiny}}, {8, dtype, scheme});
        EXPECT_EQ(grid.scale.front(), 1);
        EXPECT_EQ(values_of(fake_quantize(at::zeros({3}), grid)), (std::vector<float>{0, 0, 0}));
      }
    }
  }
}

TEST(QuantGrid, ARangeOfAllFloatsHasAFiniteScale) {
  const float most = std::numeric_limits<float>::max();
  const auto grid = quant_grid({{-most, most}}, {8, QuantDtype::Uint, QuantScheme::PerTensorAffine});
  EXPECT_TRUE(std::isfinite(grid.scale.front()));
  EXPECT_EQ(grid.zero_point.front(), 128);
}

TEST(QuantGrid, RangesOfTensorsAndChannels) {
  const at::Tensor x = at::tensor({1.F, -2.F, 3.F, 4.F, 5.F, -6.F}).view({2, 3});
  EXPECT_EQ(value_ranges(x), (std::vector<ValueRange>{{-6, 5}}));
  EXPECT_EQ(value_ranges(x, 0), (std::vector<ValueRange>{{-2, 3}, {-6, 5}}));
  EXPECT_EQ(value_ranges(x, 1), (std::vector<ValueRange>{{1, 4}, {-2, 5}, {-6, 3}}));
  EXPECT_EQ(value_ranges(at::empty({0, 3}), 1), (std::vector<ValueRange>(3))) << "empty channels";
  EXPECT_EQ(value_ranges(at::empty({0})), (std::vector<ValueRange>(1)));
  EXPECT_EQ(fake_quantize(at::empty({0, 3}), quant_grid(std::vector<ValueRange>(3), {}, 1)).numel(), 0);
}

TEST(QuantGrid, RangesTellWhatIsNotFinite) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    for (const std::int64_t at : {0, 15, 16, 39}) {
      at::Tensor x = at::zeros({40});
      x[at] = bad;
      EXPECT_TRUE(std::isnan(value_ranges(x).front().min)) << bad << " at " << at;
      EXPECT_TRUE(std::isnan(value_ranges(x.view({4, 10}), 0)[static_cast<std::size_t>(at) / 10].max));
    }
  }
}

TEST(QuantGrid, NaNStaysNaNWithoutAGradient) {
  const at::Tensor x = vector_of({std::nanf(""), 1}).requires_grad_(true);
  const at::Tensor y = fake_quantize(x, {{1}, {0}, {0, 255}, 0});
  y.sum().backward();
  EXPECT_TRUE(std::isnan(values_of(y)[0]));
  EXPECT_EQ(values_of(x.grad()), (std::vector<float>{0, 1}));
}

TEST(QuantGrid, RefusesWhatItCannotQuantize) {
  EXPECT_THROW((void)fake_quantize(at::zeros({3}, at::kDouble), {{1}, {0}, {0, 255}, 0}), c10::Error);
  EXPECT_THROW((void)fake_quantize(at::zeros({3}), {{1, 1}, {0, 0}, {0, 255}, 0}), c10::Error);
}

}  // namespace
}  // namespace lathe::compression
