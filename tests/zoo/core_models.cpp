#include "core_models.hpp"

#include <array>
#include <cmath>
#include <utility>

#include <ATen/ops/ones.h>
#include <fmt/format.h>

#include "models.hpp"

namespace lathe::zoo {
namespace {

using compression::test_models::Builder;
using compression::test_models::ConvOptions;
using compression::test_models::random_input;
using torch::jit::Module;
using Children = std::vector<std::pair<std::string, Module>>;

/// Children that are called one after the other.
Module chain(Builder& build, const std::string& name, const Children& children) {
  std::string forward = "def forward(self, x):\n";
  for (const auto& [child, module] : children) forward += fmt::format("  x = self.{}.forward(x)\n", child);
  return build.net(name, children, forward + "  return x\n");
}

/// Convolution that keeps the size (but for its stride), batch norm, and an activation unless it is empty.
Module conv_bn(Builder& build, std::int64_t in, std::int64_t out, ConvOptions options, const std::string& activation) {
  options.padding = options.kernel / 2;
  options.bias = false;
  std::string value = "self.bn.forward(self.conv.forward(x))";
  if (!activation.empty()) value = fmt::format("torch.{}({})", activation, value);
  return build.net("ConvBn", {{"conv", build.conv2d(in, out, options)}, {"bn", build.batch_norm2d(out, true)}},
                   "def forward(self, x):\n  return " + value + "\n");
}

CoreModel finish(std::string name, Module model, at::Tensor example) {
  model.eval();
  return {std::move(name), std::move(model), std::move(example)};
}

Module basic_block(Builder& build, std::int64_t in, std::int64_t out, std::int64_t stride) {
  Children children{{"a", conv_bn(build, in, out, {.kernel = 3, .stride = stride}, "relu")},
                    {"b", conv_bn(build, out, out, {.kernel = 3}, "")}};
  const bool same = stride == 1 && in == out;
  if (!same) children.emplace_back("shortcut", conv_bn(build, in, out, {.kernel = 1, .stride = stride}, ""));
  return build.net("BasicBlock", children,
                   fmt::format("def forward(self, x):\n"
                               "  return torch.relu(self.b.forward(self.a.forward(x)) + {})\n",
                               same ? "x" : "self.shortcut.forward(x)"));
}

struct Stage {
  std::int64_t expansion;
  std::int64_t outputs;
  int blocks;
  std::int64_t stride;
};

Module inverted_residual(Builder& build, std::int64_t in, std::int64_t out, std::int64_t expansion,
                         std::int64_t stride) {
  const std::int64_t wide = in * expansion;
  Children children;
  if (expansion != 1) children.emplace_back("expand", conv_bn(build, in, wide, {.kernel = 1}, "relu6"));
  children.emplace_back("depthwise",
                        conv_bn(build, wide, wide, {.kernel = 3, .stride = stride, .groups = wide}, "relu6"));
  children.emplace_back("project", conv_bn(build, wide, out, {.kernel = 1}, ""));
  const Module layers = chain(build, "Layers", children);
  return build.net("InvertedResidual", {{"layers", layers}},
                   fmt::format("def forward(self, x):\n  return self.layers.forward(x){}\n",
                               stride == 1 && in == out ? " + x" : ""));
}

Module layer_norm(Builder& build, std::int64_t width) {
  return build.net(
      "torch.nn.modules.normalization.LayerNorm", {},
      fmt::format("def forward(self, x):\n"
                  "  return torch.layer_norm(x, [{}], self.weight, self.bias, 1e-06, True)\n",
                  width),
      {{"weight", at::ones({width}).add_(build.normal({width}).mul_(0.2))}, {"bias", build.normal({width}).mul_(0.2)}});
}

Module attention(Builder& build, std::int64_t width, std::int64_t heads) {
  std::string forward = "def forward(self, x):\n  n = x.size(0)\n  t = x.size(1)\n";
  for (const char* name : {"q", "k", "v"})
    forward +=
        fmt::format("  {0} = self.{0}.forward(x).view([n, t, {1}, {2}]).transpose(1, 2)\n", name, heads, width / heads);
  forward += fmt::format(
      "  w = torch.softmax(torch.matmul(q, k.transpose(-2, -1)) * {}, -1)\n"
      "  y = torch.matmul(w, v).transpose(1, 2).reshape([n, t, {}])\n"
      "  return self.proj.forward(y)\n",
      1.0 / std::sqrt(static_cast<double>(width / heads)), width);
  return build.net("Attention",
                   {{"q", build.linear(width, width)},
                    {"k", build.linear(width, width)},
                    {"v", build.linear(width, width)},
                    {"proj", build.linear(width, width)}},
                   forward);
}

Module encoder_block(Builder& build, std::int64_t width, std::int64_t heads) {
  return build.net("EncoderBlock",
                   {{"norm1", layer_norm(build, width)},
                    {"attention", attention(build, width, heads)},
                    {"norm2", layer_norm(build, width)},
                    {"fc1", build.linear(width, 4 * width)},
                    {"fc2", build.linear(4 * width, width)}},
                   "def forward(self, x):\n"
                   "  x = x + self.attention.forward(self.norm1.forward(x))\n"
                   "  return x + self.fc2.forward(torch.gelu(self.fc1.forward(self.norm2.forward(x))))\n");
}

Module double_conv(Builder& build, std::int64_t in, std::int64_t out) {
  return chain(
      build, "DoubleConv",
      {{"a", conv_bn(build, in, out, {.kernel = 3}, "relu")}, {"b", conv_bn(build, out, out, {.kernel = 3}, "relu")}});
}

/// Twice the resolution and half the channels.
Module up_convolution(Builder& build, std::int64_t in) {
  return build.net("torch.nn.modules.conv.ConvTranspose2d", {},
                   "def forward(self, x):\n"
                   "  return torch.conv_transpose2d(x, self.weight, self.bias, [2, 2], [0, 0], [0, 0], 1, [1, 1])\n",
                   {{"weight", build.normal({in, in / 2, 2, 2}).mul_(1.0 / std::sqrt(static_cast<double>(in)))},
                    {"bias", build.normal({in / 2}).mul_(0.2)}});
}

}  // namespace

CoreModel core_resnet18(std::uint64_t seed) {
  Builder build(seed);
  Children children{{"stem", conv_bn(build, 3, 64, {.kernel = 7, .stride = 2}, "relu")}};
  std::string forward =
      "def forward(self, x):\n"
      "  x = torch.max_pool2d(self.stem.forward(x), [3, 3], [2, 2], [1, 1], [1, 1], False)\n";
  std::int64_t in = 64;
  for (int block = 0; block < 8; ++block) {
    const std::int64_t out = std::int64_t{64} << (block / 2);
    const std::string name = fmt::format("block{}", block);
    children.emplace_back(name, basic_block(build, in, out, block > 0 && block % 2 == 0 ? 2 : 1));
    forward += fmt::format("  x = self.{}.forward(x)\n", name);
    in = out;
  }
  children.emplace_back("fc", build.linear(in, 1000));
  forward += "  return self.fc.forward(torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1))\n";
  return finish("core_resnet18", build.net("ResNet18", children, forward), random_input({2, 3, 64, 64}, seed));
}

CoreModel core_mobilenet_v2(std::uint64_t seed) {
  constexpr std::array<Stage, 7> kStages{
      {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}}};
  Builder build(seed);
  Children features{{"stem", conv_bn(build, 3, 32, {.kernel = 3, .stride = 2}, "relu6")}};
  std::int64_t in = 32;
  for (const auto& stage : kStages) {
    for (int index = 0; index < stage.blocks; ++index) {
      features.emplace_back(
          fmt::format("block{}", features.size()),
          inverted_residual(build, in, stage.outputs, stage.expansion, index == 0 ? stage.stride : 1));
      in = stage.outputs;
    }
  }
  features.emplace_back("last", conv_bn(build, in, 1280, {.kernel = 1}, "relu6"));
  const Module body = chain(build, "Features", features);
  auto model = build.net("MobileNetV2", {{"features", body}, {"classifier", build.linear(1280, 1000)}},
                         "def forward(self, x):\n"
                         "  x = torch.mean(self.features.forward(x), [2, 3])\n"
                         "  return self.classifier.forward(torch.dropout(x, 0.2, self.training))\n");
  return finish("core_mobilenet_v2", std::move(model), random_input({2, 3, 64, 64}, seed));
}

CoreModel core_vit(std::uint64_t seed) {
  constexpr std::int64_t kWidth = 64;
  Builder build(seed);
  Children blocks;
  for (int block = 0; block < 4; ++block)
    blocks.emplace_back(fmt::format("block{}", block), encoder_block(build, kWidth, 4));
  const Module patches = build.conv2d(3, kWidth, {.kernel = 4, .stride = 4});
  const Module body = chain(build, "Blocks", blocks);
  auto model = build.net(
      "VisionTransformer",
      {{"patches", patches}, {"blocks", body}, {"norm", layer_norm(build, kWidth)}, {"head", build.linear(kWidth, 10)}},
      "def forward(self, x):\n"
      "  x = torch.flatten(self.patches.forward(x), 2).transpose(1, 2)\n"
      "  x = torch.cat([self.token.expand([x.size(0), -1, -1]), x], 1) + self.position\n"
      "  x = self.norm.forward(self.blocks.forward(x))\n"
      "  return self.head.forward(x[:, 0])\n",
      {{"token", build.normal({1, 1, kWidth})}, {"position", build.normal({1, 65, kWidth})}});
  return finish("core_vit", std::move(model), random_input({2, 3, 32, 32}, seed));
}

CoreModel core_unet(std::uint64_t seed) {
  Builder build(seed);
  auto model = build.net("UNet",
                         {{"stem", double_conv(build, 3, 16)},
                          {"down1", double_conv(build, 16, 32)},
                          {"down2", double_conv(build, 32, 64)},
                          {"up1", up_convolution(build, 64)},
                          {"conv1", double_conv(build, 64, 32)},
                          {"up2", up_convolution(build, 32)},
                          {"conv2", double_conv(build, 32, 16)},
                          {"head", build.conv2d(16, 2, {.kernel = 1})}},
                         "def forward(self, x):\n"
                         "  a = self.stem.forward(x)\n"
                         "  b = self.down1.forward(torch.max_pool2d(a, [2, 2], [2, 2], [0, 0], [1, 1], False))\n"
                         "  c = self.down2.forward(torch.max_pool2d(b, [2, 2], [2, 2], [0, 0], [1, 1], False))\n"
                         "  c = self.conv1.forward(torch.cat([b, self.up1.forward(c)], 1))\n"
                         "  c = self.conv2.forward(torch.cat([a, self.up2.forward(c)], 1))\n"
                         "  return self.head.forward(c)\n");
  return finish("core_unet", std::move(model), random_input({2, 3, 32, 32}, seed));
}

std::vector<CoreModel> core_models(std::uint64_t seed) {
  return {core_resnet18(seed), core_mobilenet_v2(seed), core_vit(seed), core_unet(seed)};
}

}  // namespace lathe::zoo
