#include <cmath>
#include <map>
#include <string>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <lathe/compression/measure.hpp>
#include <lathe/compression/model.hpp>
#include <lathe/compression/speedup.hpp>

#include "lenet/lenet.hpp"
#include "resnet20/resnet20.hpp"

namespace lathe::examples {
namespace {

using compression::Shape;

at::Tensor digits(std::int64_t count) {
  return at::rand({count, 1, 28, 28}, at::detail::createCPUGenerator(7));
}

std::map<std::string, compression::Layer> layers_by_name(const torch::jit::Module& model) {
  std::map<std::string, compression::Layer> layers;
  for (const auto& layer : compression::layers_of(model)) layers[layer.name] = layer;
  return layers;
}

at::Tensor run(torch::jit::Module model, const at::Tensor& inputs) {
  const c10::NoGradGuard no_grad;
  model.eval();
  return model.forward({inputs}).toTensor();
}

TEST(ResNet20, HasThePapersLayers) {
  const auto model = make_resnet20(0);
  EXPECT_EQ(compression::count_parameters(model), 272186);
  const auto layers = layers_by_name(model);
  EXPECT_EQ(layers.size(), 21 + 21 + 1U);  // 19 + 2 convolutions with a batch norm each, and fc
  EXPECT_EQ(layers.at("conv1").weight.sizes(), (Shape{16, 1, 3, 3}));
  EXPECT_EQ(layers.at("layer1.2.conv2").weight.sizes(), (Shape{16, 16, 3, 3}));
  EXPECT_EQ(layers.at("layer2.0.conv1").weight.sizes(), (Shape{32, 16, 3, 3}));
  EXPECT_EQ(layers.at("layer2.0.downsample.0").weight.sizes(), (Shape{32, 16, 1, 1}));
  EXPECT_EQ(layers.at("layer2.0.downsample.1").type, "BatchNorm2d");
  EXPECT_EQ(layers.at("layer3.2.bn2").weight.sizes(), (Shape{64}));
  EXPECT_EQ(layers.at("fc").weight.sizes(), (Shape{10, 64}));
  EXPECT_FALSE(layers.at("conv1").bias.defined());
  EXPECT_EQ(layers.count("layer1.0.downsample.0"), 0U) << "the first stage keeps the shape";
}

TEST(ResNet20, HalvesHeightAndWidthTwice) {
  const auto counted = compression::count_macs(make_resnet20(0), digits(1)).value();
  std::map<std::string, std::int64_t> macs;
  for (const auto& layer : counted) macs[layer.layer] = layer.macs;
  EXPECT_EQ(macs.at("conv1"), 28 * 28 * 16 * 9);
  EXPECT_EQ(macs.at("layer2.2.conv2"), 14 * 14 * 32 * 32 * 9);
  EXPECT_EQ(macs.at("layer3.2.conv2"), 7 * 7 * 64 * 64 * 9);
  EXPECT_EQ(macs.at("layer3.0.downsample.0"), 7 * 7 * 64 * 32);
  EXPECT_EQ(run(make_resnet20(0), digits(2)).sizes(), (Shape{2, 10}));
}

/// He's rule keeps the variance of relu networks; a block's first output has been through one relu.
TEST(ResNet20, IsInitialisedByHesRule) {
  const auto layers = layers_by_name(make_resnet20(5));
  for (const char* name : {"layer2.1.conv1", "layer3.1.conv2"}) {
    const auto weight = layers.at(name).weight.detach();
    const auto fan_in = static_cast<double>(weight[0].numel());
    EXPECT_NEAR(weight.std().item<double>(), std::sqrt(2 / fan_in), 0.03 * std::sqrt(2 / fan_in)) << name;
    EXPECT_NEAR(weight.mean().item<double>(), 0, 0.05 * std::sqrt(2 / fan_in)) << name;
  }
}

TEST(ResNet20, DependsOnTheSeedAlone) {
  const at::Tensor inputs = digits(2);
  EXPECT_TRUE(run(make_resnet20(1), inputs).equal(run(make_resnet20(1), inputs)));
  EXPECT_FALSE(run(make_resnet20(1), inputs).equal(run(make_resnet20(2), inputs)));
}

/// The additions tie the shortcuts to the stem and to conv2; a block's inner channels are its own.
TEST(ResNet20, CanBeCutInsideBlocksAndAcrossThem) {
  const auto model = make_resnet20(0);
  const auto before = layers_by_name(model);
  compression::Masks masks;
  const auto prune_first_half = [&](const std::string& name) {
    const at::Tensor kept = at::ones_like(before.at(name).weight.detach());
    kept.narrow(0, 0, kept.size(0) / 2).zero_();
    masks[name].weight = kept;
  };
  prune_first_half("layer1.0.conv1");
  for (const char* name : {"layer2.0.downsample.0", "layer2.0.conv2", "layer2.1.conv2", "layer2.2.conv2"}) {
    prune_first_half(name);
  }
  const auto example = digits(2);
  const auto extended = compression::extend_masks(model, masks, example);
  ASSERT_TRUE(extended) << extended.error().message;
  const auto smaller = compression::speed_up(model, *extended, example);
  ASSERT_TRUE(smaller) << smaller.error().message;
  const auto layers = layers_by_name(smaller->model);
  EXPECT_EQ(layers.at("layer1.0.conv1").weight.sizes(), (Shape{8, 16, 3, 3}));
  EXPECT_EQ(layers.at("layer1.0.conv2").weight.sizes(), (Shape{16, 8, 3, 3}));
  EXPECT_EQ(layers.at("layer2.0.downsample.0").weight.sizes(), (Shape{16, 16, 1, 1}));
  EXPECT_EQ(layers.at("layer2.2.bn2").weight.sizes(), (Shape{16}));
  EXPECT_EQ(layers.at("layer3.0.conv1").weight.sizes(), (Shape{64, 16, 3, 3}));
}

TEST(LeNet, HasTheTutorialsLayers) {
  const auto model = make_lenet(0);
  EXPECT_EQ(compression::count_parameters(model), 431080);
  EXPECT_EQ(layers_by_name(model).size(), 4U);
  EXPECT_NEAR(run(model, digits(1)).exp().sum().item<double>(), 1, 1e-5);
}

TEST(LeNet, CanHaveBatchNorm) {
  const auto model = make_lenet(0, BatchNorm::Yes);
  EXPECT_EQ(compression::count_parameters(model), 431080 + 2 * (20 + 50));
  const auto layers = layers_by_name(model);
  EXPECT_EQ(layers.at("bn1").type, "BatchNorm2d");
  EXPECT_EQ(layers.at("bn2").weight.sizes(), (Shape{50}));
  const auto plain = layers_by_name(make_lenet(0));
  EXPECT_TRUE(layers.at("conv2").weight.equal(plain.at("conv2").weight)) << "batch norm draws nothing";
}

}  // namespace
}  // namespace lathe::examples
