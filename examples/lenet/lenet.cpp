#include "lenet.hpp"

#include <cmath>
#include <memory>
#include <string>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

namespace lathe::examples {
namespace {

using torch::jit::Module;

constexpr auto kConvForward = R"(
def forward(self, x):
  return torch.conv2d(x, self.weight, self.bias, [1, 1], [0, 0], [1, 1], 1)
)";

constexpr auto kLinearForward = R"(
def forward(self, x):
  return torch.linear(x, self.weight, self.bias)
)";

constexpr auto kNetForward = R"(
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

/// Makes modules of one compilation unit with weights from one generator.
class Builder {
 public:
  explicit Builder(std::uint64_t seed) : generator_(at::detail::createCPUGenerator(seed)) {}

  Module module(const std::string& class_name) const {
    Module module(c10::QualifiedName("__torch__." + class_name), unit_, /*shouldMangle=*/true);
    module.register_attribute("training", c10::BoolType::get(), true);
    return module;
  }

  Module layer(const std::string& class_name, const std::vector<std::int64_t>& shape, const char* forward) const {
    Module layer = module(class_name);
    std::int64_t fan_in = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= shape[i];
    const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
    layer.register_parameter("weight", uniform(shape, bound), /*is_buffer=*/false);
    layer.register_parameter("bias", uniform({shape[0]}, bound), /*is_buffer=*/false);
    layer.define(forward);
    return layer;
  }

 private:
  at::Tensor uniform(const std::vector<std::int64_t>& shape, double bound) const {
    return at::rand(shape, generator_).mul_(2 * bound).sub_(bound).set_requires_grad(true);
  }

  std::shared_ptr<torch::jit::CompilationUnit> unit_ = std::make_shared<torch::jit::CompilationUnit>();
  at::Generator generator_;
};

}  // namespace

Module make_lenet(std::uint64_t seed) {
  const Builder build(seed);
  constexpr auto conv = "torch.nn.modules.conv.Conv2d";
  constexpr auto linear = "torch.nn.modules.linear.Linear";
  Module net = build.module("LeNet");
  net.register_module("conv1", build.layer(conv, {20, 1, 5, 5}, kConvForward));
  net.register_module("conv2", build.layer(conv, {50, 20, 5, 5}, kConvForward));
  net.register_module("fc1", build.layer(linear, {500, 800}, kLinearForward));
  net.register_module("fc2", build.layer(linear, {10, 500}, kLinearForward));
  net.define(kNetForward);
  return net;
}

}  // namespace lathe::examples
