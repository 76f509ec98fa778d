#include "models.hpp"

#include <cmath>
#include <sstream>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

namespace lathe::compression::test_models {
namespace {

using torch::jit::Module;

void add_parameter(Module& module, const std::string& name, at::Tensor value) {
  value.set_requires_grad(true);
  module.register_parameter(name, std::move(value), /*is_buffer=*/false);
}

std::string repeat(std::int64_t value, int times) {
  std::string list = "[";
  for (int i = 0; i < times; ++i) list += (i == 0 ? "" : ", ") + std::to_string(value);
  return list + "]";
}

}  // namespace

Builder::Builder(std::uint64_t seed)
    : unit_(std::make_shared<torch::jit::CompilationUnit>()), generator_(at::detail::createCPUGenerator(seed)) {}

at::Tensor Builder::uniform(const std::vector<std::int64_t>& shape, double bound) {
  return at::rand(shape, generator_).mul_(2 * bound).sub_(bound);
}

at::Tensor Builder::normal(const std::vector<std::int64_t>& shape) {
  return at::randn(shape, generator_);
}

Module Builder::leaf(const std::string& class_name) {
  Module module(c10::QualifiedName("__torch__." + class_name), unit_, /*shouldMangle=*/true);
  module.register_attribute("training", c10::BoolType::get(), true);
  return module;
}

void Builder::add_weights(Module& module, const std::vector<std::int64_t>& shape, bool bias) {
  std::int64_t fan_in = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= shape[i];
  const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
  add_parameter(module, "weight", uniform(shape, bound));
  if (bias) add_parameter(module, "bias", uniform({shape[0]}, bound));
}

Module Builder::conv(int spatial, std::int64_t in, std::int64_t out, const ConvOptions& options) {
  Module module = leaf("torch.nn.modules.conv.Conv" + std::to_string(spatial) + "d");
  std::vector<std::int64_t> shape{out, in / options.groups};
  shape.insert(shape.end(), static_cast<std::size_t>(spatial), options.kernel);
  add_weights(module, shape, options.bias);
  std::ostringstream source;
  source << "def forward(self, x):\n  return torch.conv" << spatial << "d(x, self.weight, "
         << (options.bias ? "self.bias" : "None") << ", " << repeat(options.stride, spatial) << ", "
         << repeat(options.padding, spatial) << ", " << repeat(1, spatial) << ", " << options.groups << ")\n";
  module.define(source.str());
  return module;
}

Module Builder::conv1d(std::int64_t in, std::int64_t out, const ConvOptions& options) {
  return conv(1, in, out, options);
}

Module Builder::conv2d(std::int64_t in, std::int64_t out, const ConvOptions& options) {
  return conv(2, in, out, options);
}

Module Builder::linear(std::int64_t in, std::int64_t out, bool bias) {
  Module module = leaf("torch.nn.modules.linear.Linear");
  add_weights(module, {out, in}, bias);
  module.define(std::string("def forward(self, x):\n  return torch.linear(x, self.weight, ") +
                (bias ? "self.bias" : "None") + ")\n");
  return module;
}

Module Builder::batch_norm2d(std::int64_t channels, bool random) {
  Module module = leaf("torch.nn.modules.batchnorm.BatchNorm2d");
  add_parameter(module, "weight", random ? uniform({channels}, 0.5).add_(1.0) : at::ones({channels}));
  add_parameter(module, "bias", random ? uniform({channels}, 0.5) : at::zeros({channels}));
  module.register_buffer("running_mean", random ? uniform({channels}, 0.5) : at::zeros({channels}));
  module.register_buffer("running_var", random ? uniform({channels}, 0.5).add_(1.0) : at::ones({channels}));
  module.define(
      "def forward(self, x):\n"
      "  return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, self.training, "
      "0.1, 1e-05, True)\n");
  return module;
}

Module Builder::layer(const std::string& class_name,
                      const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& shapes,
                      const std::string& forward) {
  Module module = leaf(class_name);
  for (const auto& [name, shape] : shapes) add_parameter(module, name, uniform(shape, 0.5));
  module.define(forward + "\n");
  return module;
}

Module Builder::norm(const std::string& class_name, std::int64_t width, const std::string& expression) {
  Module module = leaf(class_name);
  add_parameter(module, "weight", uniform({width}, 0.5).add_(1.0));
  add_parameter(module, "bias", uniform({width}, 0.5));
  module.define("def forward(self, x):\n  return " + expression + "\n");
  return module;
}

Module Builder::embedding(std::int64_t entries, std::int64_t width) {
  Module module = leaf("torch.nn.modules.sparse.Embedding");
  add_parameter(module, "weight", normal({entries, width}));
  module.define("def forward(self, x):\n  return torch.embedding(self.weight, x, -1, False, False)\n");
  return module;
}

Module Builder::with_parameters(const std::string& class_name, const std::vector<std::vector<std::int64_t>>& shapes,
                                const std::string& forward) {
  Module module = leaf(class_name);
  for (std::size_t i = 0; i < shapes.size(); ++i)
    add_parameter(module, "p" + std::to_string(i), normal(shapes[i]).mul_(0.5));
  module.define(forward + "\n");
  return module;
}

Module Builder::net(const std::string& class_name, const std::vector<std::pair<std::string, Module>>& children,
                    const std::string& forward, const std::vector<std::pair<std::string, at::Tensor>>& parameters) {
  Module module = leaf(class_name);
  for (const auto& [name, value] : parameters) add_parameter(module, name, value);
  for (const auto& [name, child] : children) module.register_module(name, child);
  module.define(forward + "\n");  // the parser wants the last line ended
  return module;
}

Module lenet(std::uint64_t seed) {
  Builder build(seed);
  auto conv1 = build.conv2d(1, 20, {.kernel = 5});
  auto conv2 = build.conv2d(20, 50, {.kernel = 5});
  auto fc1 = build.linear(800, 500);
  auto fc2 = build.linear(500, 10);
  return build.net("LeNet", {{"conv1", conv1}, {"conv2", conv2}, {"fc1", fc1}, {"fc2", fc2}}, R"(
def forward(self, x):
  x = torch.relu(self.conv1.forward(x))
  x = torch.max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], False)
  x = torch.relu(self.conv2.forward(x))
  x = torch.max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], False)
  x = x.view([-1, 800])
  x = torch.relu(self.fc1.forward(x))
  x = self.fc2.forward(x)
  return torch.log_softmax(x, 1)
)");
}

Module residual_net(std::uint64_t seed) {
  Builder build(seed);
  const ConvOptions padded{.kernel = 3, .padding = 1, .bias = false};
  const ConvOptions pointwise{.kernel = 1, .bias = false};
  auto stem = build.conv2d(3, 16, padded);
  auto stem_bn = build.batch_norm2d(16, true);
  auto block = build.net("Block",
                         {{"conv1", build.conv2d(16, 24, padded)},
                          {"bn1", build.batch_norm2d(24, true)},
                          {"conv2", build.conv2d(24, 16, padded)},
                          {"bn2", build.batch_norm2d(16, true)}},
                         "def forward(self, x):\n"
                         "  y = torch.relu(self.bn1.forward(self.conv1.forward(x)))\n"
                         "  return torch.relu(self.bn2.forward(self.conv2.forward(y)) + x)\n");
  auto separable =
      build.net("Separable",
                {{"depthwise", build.conv2d(16, 16, {.kernel = 3, .padding = 1, .groups = 16, .bias = false})},
                 {"bn1", build.batch_norm2d(16, true)},
                 {"pointwise", build.conv2d(16, 32, pointwise)},
                 {"bn2", build.batch_norm2d(32, true)}},
                "def forward(self, x):\n"
                "  y = torch.relu(self.bn1.forward(self.depthwise.forward(x)))\n"
                "  return torch.relu(self.bn2.forward(self.pointwise.forward(y)))\n");
  auto left = build.conv2d(32, 12, {.kernel = 1});
  auto right = build.conv2d(32, 8, {.kernel = 3, .padding = 1});
  auto fc = build.linear(20, 10);
  return build.net("ResidualNet",
                   {{"stem", stem},
                    {"stem_bn", stem_bn},
                    {"block", block},
                    {"separable", separable},
                    {"left", left},
                    {"right", right},
                    {"fc", fc}},
                   R"(
def forward(self, x):
  x = torch.relu(self.stem_bn.forward(self.stem.forward(x)))
  x = self.block.forward(x)
  x = torch.avg_pool2d(x, [2, 2])
  x = self.separable.forward(x)
  x = torch.relu(torch.cat([self.left.forward(x), self.right.forward(x)], 1))
  x = torch.dropout(torch.mean(x, [2, 3]), 0.2, self.training)
  return self.fc.forward(x)
)");
}

at::Tensor random_input(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
  return Builder(seed).normal(shape);
}

}  // namespace lathe::compression::test_models
