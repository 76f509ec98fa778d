#include "resnet20/resnet20.hpp"

#include <string>
#include <vector>

#include "classifier/layers.hpp"

namespace lathe::examples {
namespace {

using torch::jit::Module;

constexpr std::int64_t kBlocks = 3;

constexpr auto kNetForward = R"(
def forward(self, x):
  x = torch.relu(self.bn1.forward(self.conv1.forward(x)))
  x = self.layer1.forward(x)
  x = self.layer2.forward(x)
  x = self.layer3.forward(x)
  x = torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1)
  return self.fc.forward(x)
)";

Conv convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride) {
  return {.in = in,
          .out = out,
          .kernel = kernel,
          .stride = stride,
          .padding = kernel / 2,
          .bias = false,
          .initialization = Initialization::He};
}

Module basic_block(LayerBuilder& build, std::int64_t in, std::int64_t out, std::int64_t stride) {
  const bool same_shape = in == out && stride == 1;
  LayerBuilder::Children children{{"conv1", build.conv2d(convolution(in, out, 3, stride))},
                                  {"bn1", build.batch_norm2d(out)},
                                  {"conv2", build.conv2d(convolution(out, out, 3, 1))},
                                  {"bn2", build.batch_norm2d(out)}};
  if (!same_shape) {
    const auto shortcut = build.conv2d(convolution(in, out, 1, stride));
    children.emplace_back("downsample", build.sequential({shortcut, build.batch_norm2d(out)}));
  }
  const std::string shortcut = same_shape ? "x" : "self.downsample.forward(x)";
  return build.net("torchvision.models.resnet.BasicBlock", children,
                   "def forward(self, x):\n"
                   "  y = torch.relu(self.bn1.forward(self.conv1.forward(x)))\n"
                   "  y = self.bn2.forward(self.conv2.forward(y))\n"
                   "  return torch.relu(y + " +
                       shortcut + ")\n");
}

Module stage(LayerBuilder& build, std::int64_t in, std::int64_t out, std::int64_t stride) {
  std::vector<Module> blocks{basic_block(build, in, out, stride)};
  for (std::int64_t i = 1; i < kBlocks; ++i) blocks.push_back(basic_block(build, out, out, 1));
  return build.sequential(blocks);
}

}  // namespace

Module make_resnet20(std::uint64_t seed) {
  LayerBuilder build(seed);
  const auto conv1 = build.conv2d(convolution(1, 16, 3, 1));
  const auto bn1 = build.batch_norm2d(16);
  const auto layer1 = stage(build, 16, 16, 1);
  const auto layer2 = stage(build, 16, 32, 2);
  const auto layer3 = stage(build, 32, 64, 2);
  return build.net("ResNet20",
                   {{"conv1", conv1},
                    {"bn1", bn1},
                    {"layer1", layer1},
                    {"layer2", layer2},
                    {"layer3", layer3},
                    {"fc", build.linear(64, 10)}},
                   kNetForward);
}

}  // namespace lathe::examples
