#include "lenet/lenet.hpp"

#include "classifier/layers.hpp"

namespace lathe::examples {
namespace {

constexpr auto kPlainForward = R"(
def forward(self, x):
  x = torch.relu(self.conv1.forward(x))
  x = torch.max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], False)
  x = torch.relu(self.conv2.forward(x))
  x = torch.max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], False)
  x = x.view([-1, 800])
  x = torch.relu(self.fc1.forward(x))
  x = self.fc2.forward(x)
  return torch.log_softmax(x, 1)
)";

constexpr auto kBatchNormForward = R"(
def forward(self, x):
  x = torch.relu(self.bn1.forward(self.conv1.forward(x)))
  x = torch.max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], False)
  x = torch.relu(self.bn2.forward(self.conv2.forward(x)))
  x = torch.max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], False)
  x = x.view([-1, 800])
  x = torch.relu(self.fc1.forward(x))
  x = self.fc2.forward(x)
  return torch.log_softmax(x, 1)
)";

}  // namespace

torch::jit::Module make_lenet(std::uint64_t seed, BatchNorm batch_norm) {
  LayerBuilder build(seed);
  const auto conv1 = build.conv2d({.in = 1, .out = 20, .kernel = 5});
  const auto conv2 = build.conv2d({.in = 20, .out = 50, .kernel = 5});
  const auto fc1 = build.linear(800, 500);
  const auto fc2 = build.linear(500, 10);
  if (batch_norm == BatchNorm::No) {
    return build.net("LeNet", {{"conv1", conv1}, {"conv2", conv2}, {"fc1", fc1}, {"fc2", fc2}}, kPlainForward);
  }
  return build.net("LeNet",
                   {{"conv1", conv1},
                    {"bn1", build.batch_norm2d(20)},
                    {"conv2", conv2},
                    {"bn2", build.batch_norm2d(50)},
                    {"fc1", fc1},
                    {"fc2", fc2}},
                   kBatchNormForward);
}

}  // namespace lathe::examples
