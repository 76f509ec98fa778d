#include "iterative_fixture.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <lathe/compression/evaluate.hpp>

#include "models.hpp"
#include "selected_layers.hpp"

namespace lathe::compression::test_iterative {
namespace {

using torch::jit::Module;

const Dataset& training_blobs() {
  static const Dataset data = blobs(256, 1);
  return data;
}

const Dataset& held_out_blobs() {
  static const Dataset data = blobs(128, 2);
  return data;
}

Module build() {
  test_models::Builder builder(4);
  return builder.net("Blobs",
                     {{"conv1", builder.conv2d(1, 6, {.padding = 1, .bias = false})},
                      {"bn1", builder.batch_norm2d(6)},
                      {"conv2", builder.conv2d(6, 12)},
                      {"fc1", builder.linear(432, 24)},
                      {"fc2", builder.linear(24, 4)}},
                     "def forward(self, x):\n"
                     "  x = torch.relu(self.bn1.forward(self.conv1.forward(x)))\n"
                     "  x = torch.relu(self.conv2.forward(x))\n"
                     "  x = torch.relu(self.fc1.forward(torch.flatten(x, 1)))\n"
                     "  return self.fc2.forward(x)\n");
}

TrainingOptions training(std::int64_t epochs) {
  TrainingOptions options;
  options.epochs = epochs;
  options.batch_size = 32;
  options.optimizer.learning_rate = 0.05;
  options.optimizer.momentum = 0.9;
  return options;
}

Module train_once() {
  Module model = build();
  EXPECT_TRUE(train(model, training_blobs(), training(6), nullptr, {}));
  return model;
}

}  // namespace

Dataset blobs(std::int64_t count, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  at::Tensor images = at::randn({count, 1, 8, 8}, generator) * 0.5;
  const at::Tensor classes = at::randint(4, {count}, generator, at::kLong);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto quadrant = classes[i].item<std::int64_t>();
    images[i][0].narrow(0, quadrant / 2 * 4, 4).narrow(1, quadrant % 2 * 4, 4).add_(1);
  }
  return Dataset::create(images, classes, {}).value();
}

Module trained_net() {
  static const Module trained = train_once();
  return copy_model(trained);
}

std::vector<SelectedLayer> selected(const Module& model, double sparsity) {
  return test_models::select_layers(model, {"conv1", "conv2", "fc1"}, sparsity);
}

Bench::Bench(double sparsity, bool with_example)
    : model(trained_net()), context{model, selected(model, sparsity), training_blobs(), training(1), {}, {}, 7, {}, {},
                                    {}} {
  if (with_example) context.example = held_out_blobs().slice(0, 4).inputs;
  context.evaluate = [this](const Network& network) -> Result<double> {
    ++evaluations;
    const auto quality = evaluate(network, held_out_blobs(), 128);
    if (!quality) return tl::unexpected(quality.error());
    return quality->accuracy.value();
  };
}

double accuracy(const Module& model) {
  const auto quality = evaluate(model, held_out_blobs(), 128);
  EXPECT_TRUE(quality) << (quality ? "" : quality.error().message);
  return quality ? quality->accuracy.value() : 0;
}

double zero_share(const std::vector<SelectedLayer>& layers) {
  std::int64_t zeros = 0;
  std::int64_t all = 0;
  for (const auto& [layer, target] : layers) {
    zeros += layer.weight.detach().eq(0).sum().item<std::int64_t>();
    all += layer.weight.numel();
  }
  return static_cast<double>(zeros) / static_cast<double>(all);
}

std::map<std::string, at::Tensor> weights_of(const Module& model) {
  std::map<std::string, at::Tensor> weights;
  for (const auto& [name, parameter] : model.named_parameters()) weights[name] = parameter.detach().clone();
  return weights;
}

bool same_masks(const Masks& one, const Masks& other) {
  const auto same = [](const at::Tensor& a, const at::Tensor& b) {
    return a.defined() == b.defined() && (!a.defined() || a.equal(b));
  };
  if (one.size() != other.size()) return false;
  for (const auto& [name, mask] : one) {
    const auto found = other.find(name);
    if (found == other.end()) return false;
    if (!same(mask.weight, found->second.weight) || !same(mask.bias, found->second.bias)) return false;
  }
  return true;
}

}  // namespace lathe::compression::test_iterative
