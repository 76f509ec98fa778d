#include "int8_models.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "models.hpp"

namespace lathe::compression::test_models {

Dataset random_data(const std::vector<std::int64_t>& record, std::int64_t records) {
  std::vector<std::int64_t> shape{records};
  shape.insert(shape.end(), record.begin(), record.end());
  return Dataset::create(random_input(shape, 3), at::arange(records).remainder(4), {}).value();
}

std::vector<QuantizedLayer> all_layers(const torch::jit::Module& model, const QuantTarget& target) {
  std::vector<QuantizedLayer> layers;
  for (const Layer& layer : layers_of(model)) {
    if (layer.type.starts_with("Conv") || layer.type == "Linear") layers.push_back({layer, target});
  }
  return layers;
}

Quantized calibrated(QuantizerKind kind, const torch::jit::Module& model, std::vector<QuantizedLayer> layers,
                     const Dataset& data) {
  Quantized net = quantize(kind, model, std::move(layers));
  EXPECT_TRUE(net.quantization->calibrate(Network(net.tapped), data, 16, 2).has_value());
  EXPECT_TRUE(net.quantization->finish().has_value());
  net.model.eval();
  return net;
}

Int8Model converted(const Quantized& net, const Dataset& data, const Int8Options& options) {
  auto made = to_int8(*net.tapped, *net.quantization, data, options);
  EXPECT_TRUE(made.has_value()) << made.error().message;
  return std::move(made.value());
}

std::map<std::string, int> operators_of(const torch::jit::Module& model) {
  std::map<std::string, int> count;
  const auto graph = model.get_method("forward").graph();
  for (const auto* node : graph->nodes()) {
    const std::string kind = node->kind().toQualString();
    if (!kind.starts_with("prim::")) ++count[kind];
  }
  return count;
}

namespace {

struct Outputs {
  at::Tensor expected;
  at::Tensor found;
};

Outputs outputs(const Quantized& net, const Int8Model& made, const at::Tensor& input) {
  const c10::NoGradGuard no_grad;
  torch::jit::Module model = made.model;
  Outputs both{net.run(input), model.forward({input}).toTensor()};
  EXPECT_EQ(both.expected.sizes(), both.found.sizes());
  return both;
}

}  // namespace

double relative_difference(const Quantized& net, const Int8Model& made, const at::Tensor& input) {
  const auto [expected, found] = outputs(net, made, input);
  return (expected - found).abs().max().item<double>() / expected.abs().max().item<double>();
}

double mean_relative_difference(const Quantized& net, const Int8Model& made, const at::Tensor& input) {
  const auto [expected, found] = outputs(net, made, input);
  return (expected - found).abs().mean().item<double>() / expected.abs().max().item<double>();
}

}  // namespace lathe::compression::test_models
