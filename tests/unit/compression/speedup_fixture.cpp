#include "speedup_fixture.hpp"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>

#include "masks.hpp"
#include "models.hpp"

namespace lathe::compression::test_models {
namespace {

using torch::jit::Module;

at::Tensor output_of(Module model, const at::Tensor& input) {
  const at::NoGradGuard no_grad;
  model.eval();
  return model.forward({input}).toTensor();
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  const double scale = std::max(1.0, a.abs().max().item().toDouble());
  return a.sub(b).abs().max().item().toDouble() / scale;
}

/// Names of the parameters that get gradients from one step in training mode.
std::set<std::string> trained_parameters(const Module& model, const at::Tensor& input) {
  Module copy = copy_model(model);
  copy.train();
  copy.forward({input}).toTensor().pow(2).sum().backward();
  std::set<std::string> trained;
  for (const auto& [name, parameter] : copy.named_parameters())
    if (parameter.grad().defined() && parameter.is_leaf()) trained.insert(name);
  return trained;
}

at::Tensor other_input(const at::Tensor& example) {
  if (!example.is_floating_point()) return example.flip({0});
  return random_input(example.sizes().vec(), 99);
}

}  // namespace

at::Tensor masked_output(const Module& model, const Masks& masks, const at::Tensor& input) {
  Module masked = copy_model(model);
  {
    const at::NoGradGuard no_grad;
    for (const auto& layer : layers_of(masked)) {
      const auto mask = masks.find(layer.name);
      if (mask == masks.end()) continue;
      if (mask->second.weight.defined()) at::Tensor(layer.weight).mul_(mask->second.weight);
      if (mask->second.bias.defined()) at::Tensor(layer.bias).mul_(mask->second.bias);
    }
  }
  return output_of(masked, input);
}

void expect_faithful(const Module& model, const Masks& masks, const at::Tensor& example, SpeedupReport& report,
                     const SpeedupOptions& options) {
  const at::Tensor before = output_of(copy_model(model), example);
  auto result = speed_up(model, masks, example, options);
  ASSERT_TRUE(result) << result.error().message;
  report = std::move(*result);
  for (const auto& input : {example, other_input(example)}) {
    const at::Tensor expected = masked_output(model, masks, input);
    EXPECT_LE(difference(expected, output_of(report.model, input)), 1e-5);
    EXPECT_LE(difference(expected, output_of(copy_model(report.model), input)), 1e-5);
  }
  EXPECT_EQ(trained_parameters(model, example), trained_parameters(report.model, example));
  EXPECT_TRUE(output_of(copy_model(model), example).equal(before)) << "the original has changed";
}

Masks some_filters(const Module& model, const std::set<std::string>& excluded, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::map<std::string, std::vector<std::int64_t>> pruned;
  for (const auto& layer : layers_of(model)) {
    if (!layer.weight.defined() || layer.weight.dim() < 2 || excluded.contains(layer.name)) continue;
    std::vector<std::int64_t> filters(static_cast<std::size_t>(layer.weight.size(0)));
    for (std::size_t i = 0; i < filters.size(); ++i) filters[i] = static_cast<std::int64_t>(i);
    for (std::size_t i = filters.size(); i-- > 1;) std::swap(filters[i], filters[generator() % (i + 1)]);
    const std::uint64_t percent = 30 + generator() % 21;
    filters.resize(std::max<std::size_t>(1, filters.size() * percent / 100));
    pruned[layer.name] = filters;
  }
  return filter_masks(model, pruned);
}

bool is_kept_for(const SpeedupReport& report, const std::string& place, const std::string& reason) {
  return std::any_of(report.kept.begin(), report.kept.end(), [&](const KeptChannels& kept) {
    return kept.place.find(place) != std::string::npos && kept.reason.find(reason) != std::string::npos &&
           kept.channels > 0;
  });
}

}  // namespace lathe::compression::test_models
