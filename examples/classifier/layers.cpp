#include "classifier/layers.hpp"

#include <cmath>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

namespace lathe::examples {
namespace {

using torch::jit::Module;

void add_parameter(Module& module, const std::string& name, at::Tensor value) {
  value.set_requires_grad(true);
  module.register_parameter(name, std::move(value), /*is_buffer=*/false);
}

}  // namespace

LayerBuilder::LayerBuilder(std::uint64_t seed)
    : unit_(std::make_shared<torch::jit::CompilationUnit>()), generator_(at::detail::createCPUGenerator(seed)) {}

Module LayerBuilder::module(const std::string& class_name) const {
  Module module(c10::QualifiedName("__torch__." + class_name), unit_, /*shouldMangle=*/true);
  module.register_attribute("training", c10::BoolType::get(), true);
  return module;
}

at::Tensor LayerBuilder::uniform(const std::vector<std::int64_t>& shape, double bound) {
  return at::rand(shape, generator_).mul_(2 * bound).sub_(bound);
}

Module LayerBuilder::conv2d(const Conv& conv) {
  Module layer = module("torch.nn.modules.conv.Conv2d");
  const std::vector<std::int64_t> shape{conv.out, conv.in, conv.kernel, conv.kernel};
  const auto fan_in = static_cast<double>(conv.in * conv.kernel * conv.kernel);
  const double bound = 1 / std::sqrt(fan_in);
  add_parameter(layer, "weight",
                conv.initialization == Initialization::He ? at::randn(shape, generator_).mul_(std::sqrt(2 / fan_in))
                                                          : uniform(shape, bound));
  if (conv.bias) add_parameter(layer, "bias", uniform({conv.out}, bound));
  layer.define(
      fmt::format("def forward(self, x):\n  return torch.conv2d(x, self.weight, {0}, [{1}, {1}], [{2}, {2}])\n",
                  conv.bias ? "self.bias" : "None", conv.stride, conv.padding));
  return layer;
}

Module LayerBuilder::linear(std::int64_t in, std::int64_t out) {
  Module layer = module("torch.nn.modules.linear.Linear");
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  add_parameter(layer, "weight", uniform({out, in}, bound));
  add_parameter(layer, "bias", uniform({out}, bound));
  layer.define("def forward(self, x):\n  return torch.linear(x, self.weight, self.bias)\n");
  return layer;
}

Module LayerBuilder::batch_norm2d(std::int64_t channels) {
  Module layer = module("torch.nn.modules.batchnorm.BatchNorm2d");
  add_parameter(layer, "weight", at::ones({channels}));
  add_parameter(layer, "bias", at::zeros({channels}));
  layer.register_buffer("running_mean", at::zeros({channels}));
  layer.register_buffer("running_var", at::ones({channels}));
  layer.define(
      "def forward(self, x):\n"
      "  return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, self.training, 0.1, "
      "1e-05, True)\n");
  return layer;
}

Module LayerBuilder::sequential(const std::vector<Module>& children) {
  Children named;
  std::string forward = "def forward(self, x):\n";
  for (std::size_t i = 0; i < children.size(); ++i) {
    named.emplace_back(std::to_string(i), children[i]);
    forward += fmt::format("  x = getattr(self, \"{}\").forward(x)\n", i);
  }
  return net("torch.nn.modules.container.Sequential", named, forward + "  return x\n");
}

Module LayerBuilder::net(const std::string& class_name, const Children& children, const std::string& forward) {
  Module net = module(class_name);
  for (const auto& [name, child] : children) net.register_module(name, child);
  net.define(forward);
  return net;
}

}  // namespace lathe::examples
